use proptest::prelude::*;

use super::*;

fn values(text: &str) -> BTreeMap<String, String> {
    parse(".env", text.as_bytes()).values
}

fn value(text: &str) -> Option<String> {
    values(text).remove("X")
}

#[test]
fn values_are_read_as_dotenv_files_are_written() {
    for (line, wanted) in [
        ("X=abc", "abc"),
        ("export X=abc", "abc"),
        ("  X = abc  ", "abc"),
        ("X=", ""),
        ("X=abc # why", "abc"),
        ("X=abc#def", "abc#def"),
        ("X=#fff", "#fff"),
        ("X= # nothing", ""),
        ("X='a b # c'", "a b # c"),
        ("X=\"a b\" # why", "a b"),
        ("X=`a \"b\"`", "a \"b\""),
        ("X=\"a\\nb\\\"c\\q\"", "a\nb\"c\\q"),
        ("X='a\\nb'", "a\\nb"),
        ("X=a=b==", "a=b=="),
        ("X=\"one\ntwo\"", "one\ntwo"),
        ("Y=1\r\nX=abc\r\n", "abc"),
        ("Y=1\rX=abc\r", "abc"),
        ("X=it's", "it's"),
        ("export=1\nX=abc", "abc"),
    ] {
        assert_eq!(value(line).as_deref(), Some(wanted), "{line:?}");
    }
}

#[test]
fn a_dollar_means_itself() {
    for secret in ["pa$$word", "${HOME}", "a$b", "$(id)"] {
        for line in [
            format!("X={secret}"),
            format!("X=\"{secret}\""),
            format!("X='{secret}'"),
        ] {
            assert_eq!(value(&line).as_deref(), Some(secret), "{line}");
        }
    }
}

#[test]
fn somebody_elses_line_is_passed_over_with_a_warning_that_names_it() {
    for line in [
        "VITE_APP_TITLE=My Cool App",
        "title: My Cool App",
        "APOSTROPHE='tis",
        "QUOTE=\"a\"b",
        "export A B",
        "just text",
        "=value",
        "{\"json\": true}",
        "1=2",
    ] {
        let text = format!("WEB_PORT=1\n{line}\nWEB_HOST=::1\n# it's \"the\" end\n");
        let read = parse(".env", text.as_bytes());
        assert_eq!(read.warnings.len(), 1, "{line}: {:?}", read.warnings);
        assert!(
            read.warnings[0].starts_with("Line 2 of .env"),
            "{:?}",
            read.warnings
        );
        assert!(
            !read.warnings[0].contains("My Cool"),
            "the line may hold a secret"
        );
        assert_eq!(read.mistakes, [], "{line}");
        assert_eq!(
            read.values.get("WEB_HOST").map(String::as_str),
            Some("::1"),
            "{line}"
        );
    }
}

#[test]
fn a_line_of_ours_that_cannot_be_read_is_a_mistake_that_names_it() {
    for line in [
        "LINK_TOKEN=a b",
        "LINK_TOKEN: abc",
        "LINK_TOKEN",
        "- LINK_TOKEN='a",
        "export LINK_TOKEN 'a'",
        "set LINK_TOKEN=a b",
        "LINK_TOKEN_FILE=/a b",
        "LINK_TOKEN='never closed",
    ] {
        let read = parse(".env", format!("A=1\n\n{line}\nB=2\n").as_bytes());
        let [mistake] = read.mistakes.as_slice() else {
            panic!("{line}: {read:?}")
        };
        let name = mistake.name.as_str();
        assert!(
            mistake
                .sentence
                .starts_with(&format!("Line 3 of .env, {name}")),
            "{mistake:?}"
        );
        assert!(name.starts_with("LINK_TOKEN"), "{mistake:?}");
        assert_eq!(
            read.values.get("B").map(String::as_str),
            Some("2"),
            "{line}"
        );
    }
    let wide: Vec<u8> = "LINK_TOKEN=a".bytes().flat_map(|byte| [byte, 0]).collect();
    assert_eq!(
        parse(".env", &wide).mistakes.len(),
        1,
        "UTF-16 without a mark"
    );
    assert_eq!(parse(".env", b"LINK_TOKEN=\xff").mistakes.len(), 1);
}

#[test]
fn a_setting_given_twice_must_say_the_same() {
    let read = parse(".env", b"WEB_PORT=1\nWEB_PORT=\nWEB_PORT='1'\nA=1\nA=2");
    assert_eq!(read.mistakes, []);
    assert_eq!(read.values.get("A").map(String::as_str), Some("2"));
    let read = parse(".env", b"WEB_PORT=1\n#\nWEB_PORT=2");
    assert_eq!(read.mistakes.len(), 1, "{read:?}");
    assert!(
        read.mistakes[0]
            .sentence
            .starts_with("Lines 1 and 3 of .env")
    );
}

#[test]
fn marks_and_encodings_of_other_systems_are_read() {
    let text = "WEB_PORT=3100\r\nTITLE=Grüße\r\n";
    let units: Vec<u16> = text.encode_utf16().collect();
    let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    for (mark, bytes) in [
        (&[0xEF, 0xBB, 0xBF][..], text.as_bytes()),
        (&[0xFF, 0xFE], &little),
        (&[0xFE, 0xFF], &big),
    ] {
        let read = parse(".env", &[mark, bytes].concat());
        assert_eq!(
            (read.warnings.len(), read.mistakes.len()),
            (0, 0),
            "{read:?}"
        );
        assert_eq!(
            read.values.get("WEB_PORT").map(String::as_str),
            Some("3100")
        );
        assert_eq!(read.values.get("TITLE").map(String::as_str), Some("Grüße"));
    }
}

#[test]
fn what_is_no_file_or_endless_is_passed_over_with_a_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    let read_at = |name: &str| read(&folder.path().join(name));
    assert_eq!(read_at("missing").warnings, Vec::<String>::new());

    fs::create_dir(folder.path().join("folder")).expect("a folder");
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo runs").success());
    for (name, word) in [("folder", "folder"), ("pipe", "pipe")] {
        let read = read_at(name);
        assert!(read.warnings[0].contains(word), "{read:?}");
    }

    let mut long = b"WEB_PORT=3100\n".to_vec();
    long.resize(3 * 1024 * 1024, b'\n');
    fs::write(folder.path().join("long"), long).expect("a file");
    let read = read_at("long");
    assert!(read.warnings[0].contains("1 MiB"), "{read:?}");
    assert_eq!(
        read.values.get("WEB_PORT").map(String::as_str),
        Some("3100")
    );
}

#[test]
fn many_bad_lines_are_counted_and_not_told_one_by_one() {
    let read = parse(".env", "no pair\n".repeat(100).as_bytes());
    assert_eq!(read.warnings.len(), TOLD + 1);
    assert!(read.warnings[TOLD].starts_with("95 more lines"), "{read:?}");
}

/// Lines as other programs, shells, editors and slips of the hand leave them.
fn foreign_line() -> impl Strategy<Value = Vec<u8>> {
    let written = prop::sample::select(vec![
        "VITE_APP_TITLE=My Cool App",
        "A='",
        "A=\"",
        "A=`",
        "A='x'y",
        "key: value",
        "# it's",
        "export A B",
        "",
        "A=\"\\",
        "-----BEGIN PRIVATE KEY-----",
    ]);
    prop_oneof![
        written.prop_map(|line| line.as_bytes().to_vec()),
        "[a-z'\"`$\\\\= #{}:-]{0,20}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..20),
    ]
    // A line end begins another line, and a mark at the beginning is another encoding.
    .prop_map(|mut line| {
        line.retain(|byte| !matches!(byte, b'\n' | b'\r'));
        if !line.is_ascii() && !line.is_empty() {
            line.insert(0, b'z');
        }
        line
    })
}

proptest! {
    /// Wherever our line stands between others, it is read, and as it is written.
    #[test]
    fn no_line_of_anybody_takes_ours_with_it(
        before in prop::collection::vec(foreign_line(), 0..6),
        after in prop::collection::vec(foreign_line(), 0..6),
        secret in "[!-~&&[^'\"`#]]{1,40}",
    ) {
        let ours = format!("LINK_TOKEN={secret}").into_bytes();
        let lines: Vec<Vec<u8>> = before.into_iter().chain([ours]).chain(after).collect();
        let read = parse(".env", &lines.join(&b'\n'));
        prop_assert_eq!(read.values.get("LINK_TOKEN"), Some(&secret));
        prop_assert_eq!(read.mistakes, []);
    }
}

#[test]
fn a_quote_that_is_closed_behind_our_line_does_not_take_it_along() {
    for quote in ['\'', '"', '`'] {
        for opens in ["A=", "export A = "] {
            for ours in [
                "LINK_TOKEN=x",
                "  export LINK_TOKEN = x",
                "LINK_TOKEN=x # why",
            ] {
                for closes in ["", "B=1", "-----END PRIVATE KEY-----", "B=1\nC=2"] {
                    let text = format!("{opens}{quote}\n{ours}\n{closes}{quote}\nWEB_PORT=3100");
                    let read = parse(".env", text.as_bytes());
                    let value = |name: &str| read.values.get(name).map(String::as_str);
                    assert_eq!(value("LINK_TOKEN"), Some("x"), "{text}");
                    assert_eq!(value("WEB_PORT"), Some("3100"), "{text}");
                    assert_eq!(read.mistakes, [], "{text}");
                }
            }
        }
    }
}

#[test]
fn a_mark_before_the_text_is_passed_over_however_often_it_is_there() {
    assert_eq!(value("\u{FEFF}X=abc").as_deref(), Some("abc"));
    assert_eq!(value("\u{FEFF}\u{FEFF}X=abc").as_deref(), Some("abc"));
    let wide: Vec<u8> = "\u{FEFF}\u{FEFF}X=abc"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let read = parse(".env", &wide);
    assert_eq!(read.values.get("X").map(String::as_str), Some("abc"));
}
