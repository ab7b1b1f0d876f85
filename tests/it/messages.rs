//! The handbook knows every message that the program has.

use std::fs;
use std::path::Path;

/// How much of a message the handbook has to have.
const ENOUGH: usize = 18;

/// Every source file of the program but the sandbox, its tests left out.
fn sources(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !["sandbox", "tests"].contains(&name) {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "tests.rs" {
            let text = fs::read_to_string(&path).unwrap();
            found.push(text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned());
        }
    }
    found
}

/// The literals in `text` up to the parenthesis that ends it, their line breaks joined.
fn literals(text: &str) -> Vec<String> {
    let (mut literals, mut current, mut letters) = (Vec::new(), None::<String>, text.chars().peekable());
    let mut depth = 1;
    while let Some(letter) = letters.next() {
        match (letter, &mut current) {
            ('"', None) => current = Some(String::new()),
            ('"', Some(_)) => literals.extend(current.take()),
            ('\\', Some(literal)) => match letters.next() {
                Some('\n') => while letters.next_if(|letter| letter.is_whitespace()).is_some() {},
                Some(letter) => literal.push(letter),
                None => {}
            },
            (letter, Some(literal)) => literal.push(letter),
            ('(', None) => depth += 1,
            (')', None) => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    literals
}

/// The text of each error, and of each line of level `warn` or `error`.
fn messages(source: &str) -> Vec<String> {
    let mut messages = Vec::new();
    for opening in ["#[error(", "warn!(", "error!("] {
        for rest in source.split(opening).skip(1) {
            let mut literals = literals(rest);
            let literal = if opening == "#[error(" { literals.drain(..).next() } else { literals.pop() };
            messages.extend(literal);
        }
    }
    messages
}

/// What of a message is the same each time.
fn fixed_parts(message: &str) -> Vec<String> {
    let parts = message.split('{').map(|part| part.split_once('}').map_or(part, |(_, after)| after));
    let mut parts: Vec<String> =
        parts.map(|part| part.trim_matches([' ', ':', ';', ',', '(', '"']).to_owned()).collect();
    parts.retain(|part| part.len() >= 6);
    parts
}

#[test]
fn the_handbook_knows_every_message() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let handbook = fs::read_to_string(root.join("docs/messages.md")).unwrap();
    let messages: Vec<String> =
        sources(&root.join("src")).iter().flat_map(|source| messages(source)).collect();
    assert!(messages.len() > 100, "{}", messages.len());
    let beginning = |part: &String| part.chars().take(ENOUGH).collect::<String>();
    let is_known = |message: &&String| {
        let parts = fixed_parts(message);
        parts.is_empty() || parts.iter().any(|part| handbook.contains(beginning(part).trim_end()))
    };
    let unknown: Vec<&String> = messages.iter().filter(|message| !is_known(message)).collect();
    assert!(unknown.is_empty(), "docs/messages.md lacks: {unknown:#?}");
}
