//! Where a Kubernetes command would act, and the way back from what it would change.

use std::path::PathBuf;

use serde::Deserialize;

use super::kit::Kit;
use super::resolve::output_of;
use super::scene::Scene;
use crate::domain::run::{Inverse, Target};
use crate::runbook::undo;
use crate::text::{Clean, glob};

/// Largest kubeconfig that is read.
const MOST_BYTES: u64 = 4 << 20;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Kubeconfig {
    current_context: Option<String>,
    contexts: Vec<NamedContext>,
    clusters: Vec<NamedCluster>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NamedContext {
    name: String,
    context: ContextBody,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ContextBody {
    cluster: String,
    namespace: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NamedCluster {
    name: String,
    cluster: ClusterBody,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ClusterBody {
    server: Option<String>,
}

/// Whether a command talks to Kubernetes.
pub(super) fn is_kube(words: &[String]) -> bool {
    words.first().is_some_and(|program| matches!(stem(program), "kubectl" | "oc" | "helm"))
}

fn stem(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// The value of a flag, however it is written: `-n x`, `--namespace x`, `--namespace=x`.
fn flag<'w>(words: &'w [String], names: &[&str]) -> Option<&'w str> {
    words.iter().enumerate().find_map(|(at, word)| {
        names.iter().find_map(|name| {
            if word == name {
                return words.get(at + 1).map(String::as_str);
            }
            word.strip_prefix(name)?.strip_prefix('=')
        })
    })
}

/// Where the command would act: its own flags, else the kubeconfig's.
pub(super) async fn target(kit: &Kit, words: &[String]) -> Target {
    let of = |name: &str| kit.setup.environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let path = flag(words, &["--kubeconfig"]).map(str::to_owned).or_else(|| of("KUBECONFIG"));
    let path = path.and_then(|paths| paths.split(':').next().map(PathBuf::from));
    let path = path.or_else(|| of("HOME").map(|home| PathBuf::from(home).join(".kube/config")));
    let read = path.map(|path| {
        tokio::task::spawn_blocking(move || {
            let is_small = std::fs::metadata(&path).is_ok_and(|about| about.len() <= MOST_BYTES);
            is_small.then(|| std::fs::read_to_string(&path).ok()).flatten()
        })
    });
    let text = match read {
        Some(read) => read.await.ok().flatten(),
        None => None,
    };
    let config: Kubeconfig = text.and_then(|text| serde_saphyr::from_str(&text).ok()).unwrap_or_default();
    told(words, &config)
}

fn told(words: &[String], config: &Kubeconfig) -> Target {
    let context = flag(words, &["--context", "--kube-context"]).map(str::to_owned).or(config.current_context.clone());
    let named = config.contexts.iter().find(|known| Some(&known.name) == context.as_ref());
    let cluster = named.map(|named| named.context.cluster.as_str());
    let server = config.clusters.iter().find(|known| Some(known.name.as_str()) == cluster);
    let server = flag(words, &["--server", "-s"]).map(str::to_owned).or_else(|| server?.cluster.server.clone());
    let everywhere = words.iter().any(|word| word == "-A" || word == "--all-namespaces");
    let namespace = flag(words, &["-n", "--namespace"]).map(str::to_owned);
    let namespace = namespace.or_else(|| everywhere.then(|| "all".to_owned()));
    let namespace = namespace.or_else(|| named?.context.namespace.clone());
    let namespace = namespace.or_else(|| Some("default of the context".to_owned()));
    Target { context: context.map(Clean::new), server: server.map(Clean::new), namespace: namespace.map(Clean::new) }
}

/// Why this target is the wrong one, when the alert or the document says so.
pub(super) fn mismatch(target: &Target, cluster: Option<&str>, must_match: Option<&str>) -> Option<Clean> {
    let context = target.context.as_ref().map_or("", Clean::as_str);
    if let Some(pattern) = must_match.filter(|pattern| !glob::matches(pattern, context)) {
        let words = format!("the context '{context}' is not one of '{pattern}', which the runbook wants");
        return Some(Clean::new(words));
    }
    let cluster = cluster.filter(|cluster| !cluster.is_empty())?;
    let server = target.server.as_ref().map_or("", Clean::as_str);
    let is_there = [context, server].iter().any(|place| place.to_lowercase().contains(&cluster.to_lowercase()));
    (!is_there && !context.is_empty()).then(|| {
        Clean::new(format!("the alert is of cluster '{cluster}', the command would act on context '{context}'"))
    })
}

/// What must be typed to take something away: the thing's own name.
pub(super) fn name_of(words: &[String]) -> String {
    const TAKE_A_VALUE: &[&str] =
        &["-n", "--namespace", "--context", "--kube-context", "-o", "--output", "-f", "--filename", "-l", "--selector"];
    let mut plain: Vec<&str> = Vec::new();
    let mut skips = false;
    for word in words.iter().skip(1) {
        if std::mem::take(&mut skips) {
            continue;
        }
        if word.starts_with('-') {
            skips = TAKE_A_VALUE.contains(&word.as_str());
            continue;
        }
        plain.push(word);
    }
    let last = plain.last().copied().or_else(|| words.first().map(String::as_str)).unwrap_or("run");
    last.rsplit('/').next().unwrap_or(last).to_owned()
}

/// How it is now, and the exact command that brings that back. Nothing where the change has no known way back.
pub(super) async fn inverse(kit: &Kit, scene: &Scene, words: &[String]) -> Option<Inverse> {
    let undo = undo::of(words)?;
    let was = output_of(kit, scene, "before", undo.look.as_ref()?).await.ok()?;
    let words = undo.inverse(&was).ok()?;
    let was = if was.is_empty() { undo.what.to_string() } else { format!("{} {was}", undo.what) };
    Some(Inverse { was: Clean::new(was), words })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_thing_itself_must_be_typed() {
        for (command, name) in [
            ("kubectl delete pod web-1 -n shop", "web-1"),
            ("kubectl -n shop delete pod/web-1 --force", "web-1"),
            ("kubectl drain node-7 --ignore-daemonsets", "node-7"),
            ("rm -rf /srv/cache", "cache"),
            ("systemctl stop nginx", "nginx"),
        ] {
            assert_eq!(name_of(&words(command)), name, "{command}");
        }
    }

    #[test]
    fn the_target_comes_from_flags_then_from_the_kubeconfig() {
        let config: Kubeconfig = serde_saphyr::from_str(
            "current-context: prod\ncontexts:\n- {name: prod, context: {cluster: c1, namespace: shop}}\nclusters:\n- {name: c1, cluster: {server: 'https://prod.example'}}\n",
        )
        .unwrap();
        let target = told(&words("kubectl get pods"), &config);
        assert_eq!(target.line().as_str(), "context prod · server https://prod.example · namespace shop");
        assert_eq!(told(&words("kubectl get pods -n web"), &config).namespace, Some(Clean::new("web")));
        assert!(mismatch(&target, Some("prod"), None).is_none());
        assert!(mismatch(&target, Some("staging"), None).unwrap().as_str().contains("cluster 'staging'"));
        assert!(mismatch(&target, None, Some("test-*")).is_some());
    }
}
