//! The programs that shipped runbooks call, for the simulated world: they change nothing, say something plausible, and
//! write down the words they were called with, a line each and an empty one behind.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Programs that are replaced.
pub const PROGRAMS: [&str; 6] = ["kubectl", "oc", "helm", "patronictl", "openssl", "psql"];

/// Answers by verb. What is scaled or cordoned is remembered, so that a second look shows the change.
const SCRIPT: &str = r#"#!/bin/sh
# The simulated world's stand-in for a real program: it changes nothing.
name=${0##*/}
here=${0%/*}
# At once: several steps write here side by side.
printf '%s\n' "$name" "$@" '' >> "$here/calls"
state() { [ -f "$here/state-$1" ] && cat "$here/state-$1" || printf '%s' "$2"; }
case "$name $1" in
  "kubectl get"|"oc get")
    case "$*" in
      *jsonpath*eplicas*) state replicas 3;;
      *jsonpath*unschedulable*) state unschedulable '';;
      *jsonpath*image*) printf 'registry.example/app:1.4.1';;
      *events*) echo "LAST SEEN  TYPE     REASON     OBJECT           MESSAGE"
                echo "2m         Warning  BackOff    pod/web-7d9f-1   Back-off restarting failed container";;
      *) echo "NAME          READY  STATUS   RESTARTS  AGE"
         echo "web-7d9f-1    1/1    Running  0         3d"
         echo "web-7d9f-2    1/1    Running  2         3d";;
    esac;;
  "kubectl top"|"oc top")
    echo "NAMESPACE  NAME        CPU(cores)  MEMORY(bytes)"
    echo "shop       web-7d9f-1  941m        612Mi"
    echo "shop       web-7d9f-2  388m        590Mi";;
  "kubectl describe"|"oc describe")
    echo "Name:    $3"; echo "Limits:  cpu 1, memory 1Gi"; echo "State:   Running";;
  "kubectl logs"|"oc logs")
    echo "level=warn msg=\"queue is long\" depth=412"; echo "level=info msg=\"served\" ms=38";;
  "kubectl scale"|"oc scale")
    for word in "$@"; do case "$word" in --replicas=*) printf '%s' "${word#--replicas=}" > "$here/state-replicas";; esac; done
    echo "deployment scaled";;
  "kubectl cordon") printf true > "$here/state-unschedulable"; echo "node cordoned";;
  "kubectl uncordon") : > "$here/state-unschedulable"; echo "node uncordoned";;
  "kubectl rollout"|"oc rollout")
    case "$2" in
      history) echo "REVISION  CHANGE-CAUSE"; echo "41        deploy 1.4.1"; echo "42        deploy 1.4.2";;
      status) echo "deployment successfully rolled out";;
      *) echo "deployment rolled back";;
    esac;;
  "patronictl list")
    echo "| Member | Role    | State   | Lag |"; echo "| db-1   | Leader  | running |     |"
    echo "| db-2   | Replica | running |  12 |";;
  "patronictl failover") echo "Successfully failed over to db-2";;
  "openssl s_client") echo "subject=CN = shop.example"; echo "notAfter=Dec  1 12:00:00 2026 GMT";;
  *) echo "$name $*: done";;
esac
"#;

/// Puts the programs into a folder, made where it is not there.
///
/// # Errors
/// When the folder cannot be written.
pub fn install(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for name in PROGRAMS {
        let path = folder.join(name);
        // Written beside and moved: a program that runs cannot be written to.
        let fresh = folder.join(format!(".{name}"));
        fs::write(&fresh, SCRIPT)?;
        fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755))?;
        fs::rename(fresh, path)?;
    }
    Ok(())
}
