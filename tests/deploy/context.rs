//! What .dockerignore lets through is what an image is built from.

use std::path::Path;
use std::process::Command;

use crate::shell::ended;

const SOURCE: &str = env!("CARGO_MANIFEST_DIR");

/// Cargo looks at every target that the manifest names, also where it builds one of them alone.
#[test]
fn cargo_builds_from_what_an_image_is_given() {
    let context = tempfile::tempdir().unwrap();
    let lines = include_str!("../../.dockerignore").lines().filter(|line| !line.starts_with('#'));
    for (number, line) in lines.enumerate() {
        if number == 0 {
            assert_eq!(line, "*", "all but what is named after it stays outside");
            continue;
        }
        let ours = Path::new(SOURCE).join(line.strip_prefix('!').unwrap());
        ended(Command::new("cp").arg("-r").arg(ours).arg(context.path())).ok();
    }
    // It reads all that a build would, and compiles nothing.
    ended(Command::new(env!("CARGO")).args(["fetch", "--locked", "--offline"]).current_dir(context.path()))
        .ok();
}
