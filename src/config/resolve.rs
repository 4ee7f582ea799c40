//! From the sections of the file to the typed [`Config`]: one file a group of sections. Every key the configuration has
//! is asked for here, and only what is asked for is known.

use std::path::Path;

use super::files::Environment;
use super::model::{AuthConfig, Config, HeaderValue, SecretSource};
use super::read::{Item, Section};

mod calendar;
mod outside;
mod people;
mod room;
mod services;
mod severity;
mod sources;

/// What the sections need to know beside their own text.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    /// The folder of the file: relative paths start there.
    pub folder: &'a Path,
    /// For `~`.
    pub environment: Environment<'a>,
}

/// Lays the file over `config`.
pub(super) fn apply(config: &mut Config, top: Section<'_>, around: Around<'_>) {
    room::room(config, &top, around);
    sources::pagerduty(config, &top, around);
    sources::alertmanagers(config, &top, around);
    sources::prometheus(config, &top, around);
    outside::slack(config, &top, around);
    outside::ms_teams(config, &top, around);
    outside::statuspage(config, &top, around);
    outside::kubernetes(config, &top);
    severity::severities(config, &top);
    services::services(config, &top);
    people::teams(config, &top);
    people::escalations(config, &top);
    people::targets(config, &top);
    room::runbooks(config, &top, around);
    room::dashboards(config, &top, around);
    people::roles(config, &top);
    people::nudges(config, &top);
    calendar::calendar(config, &top);
    outside::deployments(config, &top);
    secrets(config, &top, around);
    calendar::notify(config, &top);
    top.finish();
}

/// Puts a value that was found over the default.
fn set<T>(place: &mut T, found: Option<T>) {
    if let Some(found) = found {
        *place = found;
    }
}

const SECRET_FIX: &str = "write { env = \"NAME\" }, { file = \"PATH\" }, { command = [\"PROGRAM\", \"ARGUMENT\"] } or \
                          { keyring = { service = \"…\", user = \"…\" } }";

/// `[secrets]`: for steps of runbooks.
fn secrets(config: &mut Config, top: &Section<'_>, around: Around<'_>) {
    let Some(section) = top.table("secrets", "[secrets]") else { return };
    for (name, item) in section.entries() {
        if !is_variable(name) || name.starts_with("RB_") {
            let fix = "steps find it in the environment: letters, digits and _ make a name, and RB_ is taken";
            item.error(format!("{} is not a name for a secret", item.what), fix);
        } else if let Some(source) = secret(&item, around) {
            config.secrets.insert(name.to_owned(), source);
        }
    }
}

/// Where a secret is found. One written out is refused: files like this one get shared.
fn secret(item: &Item<'_>, around: Around<'_>) -> Option<SecretSource> {
    if item.value.get_ref().is_str() {
        item.error(format!("{} must not be written into this file", item.what), SECRET_FIX);
        return None;
    }
    if !item.value.get_ref().is_table() {
        item.wrong_type("a place where the secret is found", SECRET_FIX);
        return None;
    }
    let section = item.section(item.what.clone())?;
    let wanted = ["env", "file", "command", "keyring"].into_iter().filter(|key| section.has(key)).count();
    let env = section.item("env").and_then(|item| item.text()).and_then(|name| variable(item, name));
    let file = section.item("file").and_then(|item| item.path(around.folder, around.environment));
    let command = section.item("command").and_then(|item| command(&item));
    let keyring = section.item("keyring").and_then(|item| keyring(&item));
    section.finish();
    if wanted != 1 {
        item.error(format!("{} must name exactly one place", item.what), SECRET_FIX);
        return None;
    }
    env.map(SecretSource::Env).or(file.map(SecretSource::File)).or(command.map(SecretSource::Command)).or(keyring)
}

fn variable(item: &Item<'_>, name: String) -> Option<String> {
    if !is_variable(&name) {
        // Somebody may have put the token itself here: it is not repeated.
        item.error(
            format!("'env' of {} is not the name of a variable", item.what),
            "write the variable's name, such as \"PAGERDUTY_TOKEN\", not its value",
        );
        return None;
    }
    Some(name)
}

fn is_variable(name: &str) -> bool {
    let fits = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    fits && !name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit())
}

fn command(item: &Item<'_>) -> Option<Vec<String>> {
    if item.value.get_ref().is_str() {
        item.wrong_type(
            "a list",
            "write program and arguments apart: [\"pass\", \"show\", \"pagerduty\"]; no shell reads them",
        );
        return None;
    }
    let words = item.texts()?;
    if words.is_empty() {
        item.error(
            format!("{} is empty", item.what),
            "write program and arguments: [\"pass\", \"show\", \"pagerduty\"]",
        );
        return None;
    }
    Some(words)
}

fn keyring(item: &Item<'_>) -> Option<SecretSource> {
    let section = item.section(item.what.clone())?;
    let service = section.item("service").and_then(|item| item.text());
    let user = section.item("user").and_then(|item| item.text());
    for key in ["service", "user"] {
        if !section.has(key) {
            section.missing(key, "\"…\"");
        }
    }
    section.finish();
    Some(SecretSource::Keyring(service?, user?))
}

/// `auth` and `headers` of a source.
fn auth(section: &Section<'_>, around: Around<'_>) -> AuthConfig {
    let mut auth = AuthConfig::default();
    if let Some(table) = section.table("auth", format!("auth of {}", section.title)) {
        auth.bearer = table.item("bearer").and_then(|item| secret(&item, around));
        if let Some(basic) = table.table("basic", format!("basic of auth of {}", section.title)) {
            let user = basic.item("user").and_then(|item| item.text());
            let password = basic.item("password").and_then(|item| secret(&item, around));
            for key in ["user", "password"] {
                if !basic.has(key) {
                    basic.missing(key, if key == "user" { "\"…\"" } else { "{ env = \"…\" }" });
                }
            }
            basic.finish();
            auth.basic = user.zip(password);
        }
        if table.has("bearer") && table.has("basic") {
            table.sheet.error(&table.span, format!("{} holds both bearer and basic", table.title), "keep one of them");
        }
        table.finish();
    }
    if let Some(table) = section.table("headers", format!("headers of {}", section.title)) {
        for (name, item) in table.entries() {
            if !is_header_name(name) {
                item.error(
                    format!("'{name}' is not the name of a header"),
                    "use letters, digits and hyphens, such as X-Scope-OrgID",
                );
                continue;
            }
            let value = if item.value.get_ref().is_str() {
                item.text().map(HeaderValue::Plain)
            } else {
                secret(&item, around).map(HeaderValue::Secret)
            };
            auth.headers.extend(value.map(|value| (name.to_owned(), value)));
        }
    }
    auth
}

fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
