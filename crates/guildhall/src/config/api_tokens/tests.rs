use super::*;
use crate::config::Sources;

const ONE: &str = "5d1e6a90c3f7b824e05a9d3c61f8b27e";
const OTHER: &str = "e27b8f16c3d9a50e428b7f3c09a6e1d5";
const THIRD: &str = "90c3f7b8245d1e6ae05a9d3c61f8b27e";

fn read(text: &str) -> Result<Vec<ApiToken>, String> {
    let environment = [("API_TOKENS".to_owned(), text.to_owned())];
    let settings = Settings::resolve(&Sources {
        environment: environment.into(),
        ..Sources::default()
    });
    api_tokens(&settings).map_err(|error| error.to_string())
}

#[test]
fn each_is_read_with_what_it_may_do() {
    let text = format!("board:{ONE}, game.server+as:{OTHER} ,app+as+write:{THIRD},");
    let tokens = read(&text).expect("nothing is wrong");
    let read: Vec<_> = tokens
        .iter()
        .map(|token| (&*token.name, token.grants, token.secret.expose()))
        .collect();
    let expected = [
        ("board", ApiTokenGrants::Look, ONE),
        ("game.server", ApiTokenGrants::ActAs, OTHER),
        ("app", ApiTokenGrants::ActAsAndWrite, THIRD),
    ];
    assert_eq!(read, expected);
    assert!(
        api_tokens(&Settings::resolve(&Sources::default()))
            .expect("none")
            .is_empty()
    );
}

#[test]
fn two_of_a_name_are_for_going_from_one_to_the_next() {
    let both = read(&format!("app+as:{ONE},app+as:{OTHER}")).expect("two");
    assert_eq!(both.len(), 2);
}

#[test]
fn each_mistake_is_refused_by_a_sentence_without_the_token() {
    for (text, says) in [
        (ONE.to_owned(), "without a colon"),
        (format!(":{ONE}"), "whose name is not"),
        (format!("my app:{ONE}"), "whose name is not"),
        (format!("{}:{ONE}", "n".repeat(33)), "whose name is not"),
        (
            format!("app+all:{ONE}"),
            "something else than +as and +write",
        ),
        (
            format!("app+as+as:{ONE}"),
            "something else than +as and +write",
        ),
        (format!("app+write:{ONE}"), "with +write and without +as"),
        (
            "app:5d1e6a90c3f7b824e05a9d3c61f8b27".to_owned(),
            "shorter than 32",
        ),
        ("app:".to_owned(), "of app,"),
        (
            "app:your-token-from-openssl-rand-hex-32".to_owned(),
            "placeholder",
        ),
        (format!("app:{ONE},other:{ONE}"), "the same token twice"),
        (
            format!("app:{ONE},app+as:{OTHER}"),
            "may do different things",
        ),
        (
            format!("app:{ONE},app:{OTHER},app:{THIRD}"),
            "more than 2 tokens named app",
        ),
    ] {
        let sentence = read(&text).expect_err(&text);
        assert!(sentence.contains(says), "{text}: {sentence}");
        assert!(sentence.starts_with("API_TOKENS"), "{sentence}");
        assert!(!sentence.contains("5d1e6a90"), "{sentence}");
    }
}
