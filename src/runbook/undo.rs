//! Taking a change back: what to look at before it, and the exact inverse afterwards.

use crate::text::Clean;

/// How a change can be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undo {
    /// What it is about, for people: "replicas of deployment/checkout".
    pub what: Clean,
    /// The command that shows the value as it is now; run before the change. `None` when the change's own output has it.
    pub look: Option<Vec<String>>,
    how: How,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum How {
    /// `kubectl scale` back to the number.
    Scale { words: Vec<String> },
    /// `kubectl set image` back to the images.
    Image { words: Vec<String>, containers: Vec<String> },
    /// `kubectl uncordon`, unless it was cordoned before; or the other way round.
    Cordon { words: Vec<String>, was: &'static str },
    /// `amtool silence expire`.
    Silence { words: Vec<String> },
}

/// Options that say where kubectl goes; they belong to the look and to the inverse too.
const WHERE: &[&str] =
    &["-n", "--namespace", "--context", "--kubeconfig", "--cluster", "--user", "-s", "--server", "--as"];

/// Other options of the known verbs that take the next word.
const TAKES_VALUE: &[&str] =
    &["--replicas", "--current-replicas", "--timeout", "--resource-version", "-l", "--selector"];

/// How the change that an argument vector makes can be taken back; `None` for what we do not know.
#[must_use]
pub fn of(argv: &[String]) -> Option<Undo> {
    let (program, arguments) = argv.split_first()?;
    match program.rsplit('/').next()? {
        "kubectl" | "oc" | "k" => kubectl(program, arguments),
        "amtool" => silence(program, arguments),
        _ => None,
    }
}

struct Read {
    plain: Vec<String>,
    place: Vec<String>,
}

fn read(arguments: &[String]) -> Option<Read> {
    let mut found = Read { plain: Vec::new(), place: Vec::new() };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let name = word.split_once('=').map_or(word.as_str(), |(name, _)| name);
        if WHERE.contains(&name) {
            found.place.push(word.clone());
            if !word.contains('=') {
                found.place.push(words.next()?.clone());
            }
        } else if matches!(name, "-l" | "--selector" | "--all" | "-f" | "--filename" | "-k" | "--kustomize") {
            // More than one object, or objects nobody sees: no exact inverse.
            return None;
        } else if word.starts_with('-') {
            if TAKES_VALUE.contains(&word.as_str()) {
                words.next();
            }
        } else {
            found.plain.push(word.clone());
        }
    }
    Some(found)
}

fn joined(parts: &[&[String]]) -> Vec<String> {
    parts.iter().flat_map(|part| part.iter().cloned()).collect()
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn kubectl(program: &str, arguments: &[String]) -> Option<Undo> {
    if arguments.iter().any(|word| word.starts_with("--dry-run") && !word.ends_with("none")) {
        return None;
    }
    let found = read(arguments)?;
    let program = vec![program.to_owned()];
    let words = found.plain.iter().map(String::as_str).collect::<Vec<_>>();
    match words.as_slice() {
        ["scale", object @ ..] => {
            let object = one_object(object)?;
            let look = joined(&[
                &program,
                &texts(&["get", &object]),
                &found.place,
                &texts(&["-o", "jsonpath={.spec.replicas}"]),
            ]);
            let words = joined(&[&program, &texts(&["scale", &object]), &found.place]);
            Some(Undo {
                what: Clean::new(format!("replicas of {object}")),
                look: Some(look),
                how: How::Scale { words },
            })
        }
        ["set", "image", rest @ ..] => {
            let (images, object): (Vec<&str>, Vec<&str>) = rest.iter().copied().partition(|word| word.contains('='));
            let object = one_object(&object)?;
            let containers: Vec<String> =
                images.iter().filter_map(|image| image.split_once('=')).map(|(name, _)| name.to_owned()).collect();
            if containers.is_empty() {
                return None;
            }
            let template = "jsonpath={range .spec.template.spec.containers[*]}{.name}={.image}{\"\\n\"}{end}";
            let look = joined(&[&program, &texts(&["get", &object]), &found.place, &texts(&["-o", template])]);
            let words = joined(&[&program, &texts(&["set", "image", &object]), &found.place]);
            let what = Clean::new(format!("images of {object}"));
            Some(Undo { what, look: Some(look), how: How::Image { words, containers } })
        }
        [verb @ ("cordon" | "uncordon"), node] => {
            let template = texts(&["-o", "jsonpath={.spec.unschedulable}"]);
            let look = joined(&[&program, &texts(&["get", "node", node]), &found.place, &template]);
            let (inverse, was) = if *verb == "cordon" { ("uncordon", "true") } else { ("cordon", "") };
            let words = joined(&[&program, &texts(&[inverse, node]), &found.place]);
            Some(Undo {
                what: Clean::new(format!("scheduling on {node}")),
                look: Some(look),
                how: How::Cordon { words, was },
            })
        }
        _ => None,
    }
}

/// `deployment checkout`, `deployment/checkout`; several objects have no single value before.
fn one_object(words: &[&str]) -> Option<String> {
    match words {
        [one] if one.matches('/').count() == 1 && !one.contains(',') => Some((*one).to_owned()),
        [kind, name] if !kind.contains(['/', ',']) && !name.contains(['/', ',']) => Some(format!("{kind}/{name}")),
        _ => None,
    }
}

fn silence(program: &str, arguments: &[String]) -> Option<Undo> {
    let at = arguments.iter().position(|word| word == "silence")?;
    if arguments.get(at + 1)? != "add" {
        return None;
    }
    let mut words = vec![program.to_owned()];
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        if word.starts_with("--alertmanager.url")
            || word.starts_with("--config.file")
            || word.starts_with("--http.config.file")
        {
            words.push(word.clone());
            if !word.contains('=') {
                words.push(rest.next()?.clone());
            }
        }
    }
    words.extend(texts(&["silence", "expire"]));
    Some(Undo { what: Clean::new("the silence"), look: None, how: How::Silence { words } })
}

impl Undo {
    /// The inverse. `before` is the output of [`Undo::look`]; for a silence, the output of the command itself.
    ///
    /// # Errors
    /// Why there is none: the value before is not readable, or nothing was changed.
    pub fn inverse(&self, before: &str) -> Result<Vec<String>, String> {
        let before = before.trim();
        match &self.how {
            How::Scale { words } => {
                let replicas: u32 =
                    before.parse().map_err(|_cause| format!("'{}' is no number of replicas", Clean::new(before)))?;
                Ok(joined(&[words, &[format!("--replicas={replicas}")]]))
            }
            How::Image { words, containers } => {
                let known: Vec<(&str, &str)> = before.lines().filter_map(|line| line.split_once('=')).collect();
                let images = containers.iter().map(|container| {
                    let every: Vec<String> = known.iter().map(|(name, image)| format!("{name}={image}")).collect();
                    if container == "*" {
                        return Ok(every);
                    }
                    let found = known.iter().find(|(name, _)| *name == container);
                    found
                        .filter(|(_, image)| is_image(image))
                        .map(|(name, image)| vec![format!("{name}={image}")])
                        .ok_or_else(|| format!("nothing tells which image {container} had"))
                });
                let images: Vec<String> = images.collect::<Result<Vec<_>, _>>()?.concat();
                Ok(joined(&[words, &images]))
            }
            How::Cordon { words, was } => {
                let is_cordoned = before == "true";
                if is_cordoned == (*was == "true") {
                    return Err("it was so before; there is nothing to take back".to_owned());
                }
                Ok(words.clone())
            }
            How::Silence { words } => {
                let id = before.lines().last().unwrap_or_default().trim();
                let is_id = id.len() >= 8
                    && id.chars().all(|symbol| symbol.is_ascii_hexdigit() || symbol == '-')
                    && !id.starts_with('-');
                if is_id {
                    Ok(joined(&[words, &[id.to_owned()]]))
                } else {
                    Err("the output names no silence".to_owned())
                }
            }
        }
    }
}

fn is_image(image: &str) -> bool {
    !image.is_empty()
        && !image.starts_with('-')
        && image.chars().all(|symbol| symbol.is_ascii_alphanumeric() || "._:/@-".contains(symbol))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undo(command: &str) -> Option<Undo> {
        of(&shell_words::split(command).unwrap())
    }

    #[test]
    fn the_look_and_the_inverse_are_exact() {
        let table = [
            (
                "kubectl scale deployment checkout -n shop --replicas=4",
                "kubectl get deployment/checkout -n shop -o 'jsonpath={.spec.replicas}'",
                "3\n",
                "kubectl scale deployment/checkout -n shop --replicas=3",
            ),
            (
                "kubectl --context prod scale --replicas 0 sts/db",
                "kubectl get sts/db --context prod -o 'jsonpath={.spec.replicas}'",
                "2",
                "kubectl scale sts/db --context prod --replicas=2",
            ),
            (
                "kubectl set image deployment/x app=img:2 -n a",
                "kubectl get deployment/x -n a -o 'jsonpath={range .spec.template.spec.containers[*]}{.name}={.image}{\"\\n\"}{end}'",
                "side=s:1\napp=img:1\n",
                "kubectl set image deployment/x -n a app=img:1",
            ),
            ("kubectl cordon n1", "kubectl get node n1 -o 'jsonpath={.spec.unschedulable}'", "", "kubectl uncordon n1"),
            (
                "kubectl uncordon n1",
                "kubectl get node n1 -o 'jsonpath={.spec.unschedulable}'",
                "true",
                "kubectl cordon n1",
            ),
        ];
        for (command, look, before, inverse) in table {
            let undo = undo(command).expect(command);
            assert_eq!(undo.look, Some(shell_words::split(look).unwrap()), "{command}");
            assert_eq!(undo.inverse(before), Ok(shell_words::split(inverse).unwrap()), "{command}");
        }
        let silence = undo("amtool --alertmanager.url=http://am silence add alertname=x -d 1h").unwrap();
        assert_eq!(silence.look, None);
        assert_eq!(
            silence.inverse("b1f6a0b4-0000-4000-8000-000000000001\n"),
            Ok(shell_words::split(
                "amtool --alertmanager.url=http://am silence expire b1f6a0b4-0000-4000-8000-000000000001"
            )
            .unwrap())
        );
    }

    #[test]
    fn what_has_no_exact_inverse_has_none() {
        for command in [
            "kubectl scale deployment a b --replicas=1",
            "kubectl scale deployment --all --replicas=1",
            "kubectl scale deployment a --replicas=1 --dry-run=server",
            "kubectl delete pod x",
            "kubectl set image deployment/x",
            "amtool silence query",
            "systemctl stop x",
        ] {
            assert_eq!(undo(command), None, "{command}");
        }
        assert!(undo("kubectl cordon n1").unwrap().inverse("true").is_err());
        assert!(undo("kubectl scale deployment/a --replicas=1").unwrap().inverse("error: x").is_err());
        assert!(undo("kubectl set image d/x a=b").unwrap().inverse("c=d").is_err());
        assert!(undo("amtool silence add a=b").unwrap().inverse("--all").is_err());
    }
}
