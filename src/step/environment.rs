//! What a command gets to see of our environment: names on a list, nothing else. Tokens of the console are not on it.

use std::collections::BTreeMap;

/// Names that pass. `NO_COLOR` is not among them: we keep colours and neutralise the rest.
pub const ALLOWED: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LC_TIME",
    "TZ",
    "TERM",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "XDG_RUNTIME_DIR",
    "SSH_AUTH_SOCK",
    "KUBECONFIG",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "CLOUDSDK_CONFIG",
    "CLOUDSDK_ACTIVE_CONFIG_NAME",
    "AZURE_CONFIG_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// What every command gets: nothing waits for a person who cannot answer, nothing opens a pager.
const ALWAYS: &[(&str, &str)] = &[("GIT_TERMINAL_PROMPT", "0"), ("PAGER", "cat"), ("GIT_PAGER", "cat")];

/// Where a proxy's address is: it may carry a password.
const ADDRESSES: &[&str] = &["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"];

/// The environment of a command: what the list lets through of `ours` (plus `more` names from the configuration), then
/// what every command gets, then `values` (`RB_*` and what the step declares). A proxy address with a password stays out.
#[must_use]
pub fn environment(
    ours: impl IntoIterator<Item = (String, String)>,
    more: &[String],
    values: impl IntoIterator<Item = (String, String)>,
) -> BTreeMap<String, String> {
    let is_allowed = |name: &str| ALLOWED.contains(&name) || more.iter().any(|other| other == name);
    let has_password = |name: &str, value: &str| ADDRESSES.contains(&name) && value.contains('@');
    ours.into_iter()
        .filter(|(name, value)| is_allowed(name) && !has_password(name, value))
        .chain(ALWAYS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
        .chain(values)
        .filter(|(name, value)| is_possible(name, value))
        .collect()
}

/// What `execve` can carry at all.
fn is_possible(name: &str, value: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn only_what_is_named_passes() {
        let ours = pairs(&[
            ("PATH", "/bin"),
            ("PAGERDUTY_TOKEN", "canary"),
            ("LD_PRELOAD", "/tmp/x.so"),
            ("BASH_ENV", "/tmp/x"),
            ("HTTPS_PROXY", "http://user:pass@proxy"),
            ("HTTP_PROXY", "http://proxy:3128"),
            ("TEAM_REGION", "eu"),
        ]);
        let values = pairs(&[("RB_pod", "a b"), ("PAGER", "less"), ("", "x"), ("NUL", "a\0b")]);
        let env = environment(ours, &["TEAM_REGION".to_owned()], values);
        let shown: Vec<String> = env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            shown,
            [
                "GIT_PAGER=cat",
                "GIT_TERMINAL_PROMPT=0",
                "HTTP_PROXY=http://proxy:3128",
                "PAGER=less",
                "PATH=/bin",
                "RB_pod=a b",
                "TEAM_REGION=eu"
            ]
        );
    }
}
