use std::fs;

use super::*;
use crate::config::defaults;

fn nothing(_: &str) -> Option<String> {
    None
}

#[test]
fn folders_follow_the_xdg_rules() {
    let home = |name: &str| (name == "HOME").then(|| "/home/ana".to_owned());
    assert_eq!(
        Places::find(&home),
        Places { config: "/home/ana/.config/warroom".into(), state: "/home/ana/.local/state/warroom".into() }
    );
    let set = |name: &str| match name {
        "XDG_CONFIG_HOME" => Some("/conf".to_owned()),
        "XDG_STATE_HOME" => Some("relative/is/ignored".to_owned()),
        "HOME" => Some("/home/ana".to_owned()),
        _ => None,
    };
    assert_eq!(
        Places::find(&set),
        Places { config: "/conf/warroom".into(), state: "/home/ana/.local/state/warroom".into() }
    );
}

#[test]
fn paths_start_at_home_or_at_the_file() {
    let home = |name: &str| (name == "HOME").then(|| "/home/ana".to_owned());
    for (written, expected) in
        [("~/x", "/home/ana/x"), ("~", "/home/ana"), ("x", "/etc/w/x"), ("/x", "/x"), ("~bob/x", "/etc/w/~bob/x")]
    {
        assert_eq!(expand(written, Path::new("/etc/w"), &home), Path::new(expected), "{written}");
    }
}

#[test]
fn a_theme_name_is_never_a_path() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("themes")).unwrap();
    fs::write(folder.path().join("secret.toml"), "x = 1").unwrap();
    fs::write(folder.path().join("themes/mine.toml"), "x = 1").unwrap();
    let themes = folder.path().join("themes");
    assert_eq!(named(&themes, "mine"), Some(themes.join("mine.toml")));
    for name in ["../secret", "", ".hidden", "a/b", "absent"] {
        assert_eq!(named(&themes, name), None, "{name}");
    }
}

#[test]
fn users_runbooks_and_dashboards_come_before_the_built_in_ones() {
    let folder = tempfile::tempdir().unwrap();
    let places = Places { config: folder.path().to_path_buf(), state: folder.path().to_path_buf() };
    let config = defaults::config(&places, &nothing);
    let (shipped, problems) = runbooks(&config);
    assert_eq!(problems, Vec::new());
    let (boards, problems) = dashboards(&config);
    assert_eq!(problems, Vec::new());

    let deep = folder.path().join("runbooks/team");
    fs::create_dir_all(&deep).unwrap();
    let id = shipped.first().unwrap().id.clone();
    let mine = format!("runbooks:\n  {id}:\n    trigger: \"MyAlert\"\n    manual_steps:\n      - \"Look\"\n");
    fs::write(deep.join("mine.yaml"), &mine).unwrap();
    fs::write(deep.join("broken.yaml"), "runbooks: [").unwrap();
    fs::write(deep.join("notes.txt"), "not a runbook").unwrap();
    let (found, problems) = runbooks(&config);
    assert_eq!(found.len(), shipped.len());
    assert_eq!(found.first().unwrap().triggers.first().unwrap().alertname, "MyAlert");
    assert!(
        !problems.is_empty() && problems.iter().all(|problem| problem.file.ends_with("broken.yaml")),
        "{problems:?}"
    );

    fs::create_dir(folder.path().join("dashboards")).unwrap();
    let name = boards.first().unwrap().name.clone();
    let file = folder.path().join(format!("dashboards/{name}.toml"));
    fs::write(file, "title = \"Mine\"\n[[panel]]\ntitle = \"Up\"\n[[panel.query]]\npromql = \"up\"\n").unwrap();
    let (found, problems) = dashboards(&config);
    let mine = found.iter().find(|board| board.name == name).unwrap();
    assert_eq!((mine.title.as_str(), found.len()), ("Mine", boards.len()), "{problems:?}");
}
