//! The first run on a terminal.

use crate::init::Beginning;
use crate::program::program;
use crate::terminal::Terminal;

const TOKEN: &str = "Refresh token from Vainu";
const DATABASE: &str = "Database (FI, SE, NO, DK or NL): ";

/// `init` on a terminal, and then what the terminal is set to.
fn init(beginning: &Beginning) -> Option<Terminal> {
    let program = program(beginning.folder.path());
    let line = format!(
        "trap : INT; {} init; code=$?; stty -a | grep -o -- '-*\\becho\\b'; exit $code",
        program.get_program().display()
    );
    let url = beginning.sandbox.base_url();
    Terminal::run(&line, beginning.folder.path(), &[("VAINU_SYNC_API__BASE_URL", &url)])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_typed_is_not_shown_and_a_wrong_database_is_asked_for_again() {
    let beginning = Beginning::start().await;
    let Some(mut terminal) = init(&beginning) else { return };
    terminal.shows(TOKEN, 1).await;
    let token = beginning.sandbox.refresh_token();
    terminal.types(&format!("{token}\r"));
    terminal.shows(DATABASE, 1).await;
    terminal.types("Sweden\r");
    terminal.shows(DATABASE, 2).await;
    terminal.types("SE\r");
    assert_eq!(terminal.code().await, Some(0), "{}", terminal.screen());
    let screen = terminal.screen();
    assert!(screen.contains("did you mean SE?"), "{screen}");
    assert!(screen.contains("\necho"), "the echo is back: {screen}");
    assert!(!screen.contains(&token[..20]), "{screen}");
    assert_eq!(beginning.files(), ["config.toml", "refresh-token"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn control_c_at_the_prompt_ends_it_with_the_echo_back_and_nothing_written() {
    let beginning = Beginning::start().await;
    let Some(mut terminal) = init(&beginning) else { return };
    terminal.shows(TOKEN, 1).await;
    terminal.types("hush\x03");
    assert_eq!(terminal.code().await, Some(1), "{}", terminal.screen());
    let screen = terminal.screen();
    assert!(
        screen.contains("no configuration and no secret file were written") && !screen.contains("hush"),
        "{screen}"
    );
    assert!(screen.contains("\necho"), "the echo is back: {screen}");
    assert!(beginning.files().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_pasted_behind_the_token_are_neither_shown_nor_taken_for_an_answer() {
    let beginning = Beginning::start().await;
    let Some(mut terminal) = init(&beginning) else { return };
    terminal.shows(TOKEN, 1).await;
    terminal.types(&format!("{}\rhush\r", beginning.sandbox.refresh_token()));
    terminal.shows(DATABASE, 1).await;
    terminal.types("FI\r");
    assert_eq!(terminal.code().await, Some(0), "{}", terminal.screen());
    assert!(!terminal.screen().contains("hush"), "{}", terminal.screen());
}
