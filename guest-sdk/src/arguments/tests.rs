//! Arguments that fit and arguments that do not; each that does not is refused in words.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{ClientCall, Misfit, RawArguments};

fn event(args: &str) -> RawArguments<'_> {
    match RawArguments::of_event(args) {
        Ok(arguments) => arguments,
        Err(Misfit(reason)) => panic!("{args}: {reason}"),
    }
}

fn refusal<T>(outcome: Result<T, Misfit>) -> String {
    match outcome {
        Ok(_) => panic!("it fits"),
        Err(Misfit(reason)) => reason,
    }
}

#[test]
fn an_event_carries_its_arguments_by_position() {
    let arguments = event(r#" [ "bob" , 3, [1,2], {"a":"b"}, null, true ] "#);
    assert_eq!(arguments.read(0, "name"), Ok("bob".to_owned()));
    assert_eq!(arguments.read(1, "count"), Ok(3u32));
    assert_eq!(arguments.read(2, "list"), Ok(vec![1u8, 2]));
    assert_eq!(arguments.read(3, "map"), Ok(BTreeMap::from([("a".to_owned(), "b".to_owned())])));
    assert_eq!(arguments.read(4, "none"), Ok(None::<u8>));
    assert_eq!(arguments.read(5, "flag"), Ok(true));
    assert_eq!(arguments.end(6), Ok(()));
}

#[test]
fn anything_but_an_array_is_refused() {
    for args in ["", "null", "{}", "3", "\"[]\"", "[", "[1", "[1]]", "[1] x", "[nil]", "['a']", "\u{feff}[]", "\0"] {
        let reason = refusal(RawArguments::of_event(args));
        assert!(reason.starts_with("the arguments are not a JSON array"), "{args}: {reason}");
    }
}

#[test]
fn a_wrong_type_is_refused_by_the_name_of_its_parameter() {
    for (args, expected) in [
        (r#"["three"]"#, "argument `count`: invalid type: string \"three\", expected u32"),
        ("[null]", "argument `count`: invalid type: null, expected u32"),
        ("[-1]", "argument `count`: invalid value: integer `-1`, expected u32"),
        ("[4294967296]", "argument `count`: invalid value: integer `4294967296`, expected u32"),
        ("[1.5]", "argument `count`: invalid type: floating point `1.5`, expected u32"),
        ("[123456789012345678901234567890]", "argument `count`: invalid type: floating point"),
        ("[1e999]", "argument `count`: number out of range"),
        ("[[1]]", "argument `count`: invalid type: sequence, expected u32"),
    ] {
        let reason = refusal(event(args).read::<u32>(0, "count"));
        assert!(reason.starts_with(expected), "{args}: {reason}");
    }
}

#[test]
fn deep_nesting_is_refused_and_does_not_overflow() {
    let deep = format!("[{}{}]", "[".repeat(100_000), "]".repeat(100_000));
    let reason = refusal(event(&deep).read::<serde_json::Value>(0, "tree"));
    assert!(reason.starts_with("argument `tree`: recursion limit exceeded"), "{reason}");
}

#[test]
fn a_missing_argument_is_refused_unless_it_is_an_option() {
    #[derive(Deserialize, Debug, PartialEq)]
    struct Maybe(Option<u8>);

    let arguments = event("[1]");
    assert_eq!(refusal(arguments.read::<u32>(1, "count")), "argument `count` is missing");
    assert_eq!(refusal(arguments.read::<()>(1, "unit")), "argument `unit` is missing");
    assert_eq!(refusal(arguments.read::<Vec<u8>>(1, "list")), "argument `list` is missing");
    assert_eq!(arguments.read(1, "count"), Ok(None::<u32>));
    assert_eq!(arguments.read(1, "maybe"), Ok(Maybe(None)));
}

#[test]
fn too_many_arguments_are_refused() {
    assert_eq!(refusal(event("[1,2,3]").end(2)), "3 arguments where the method takes 2");
    assert_eq!(refusal(event("[null]").end(0)), "1 arguments where the method takes 0");
    assert_eq!(event("[]").end(0), Ok(()));
}

#[test]
fn a_client_calls_by_name_and_unknown_members_are_ignored() {
    let text = "\r\n\t {\"text\":\"hi\\n\",\"more\":[1],\"ev\\u0065nt\":\"s\\u0061y\",\"größe\":7}";
    let Some(call) = ClientCall::parse(text) else { panic!("it is a call") };
    assert_eq!(call.event, "say");
    assert_eq!(call.arguments.read(0, "text"), Ok("hi\n".to_owned()));
    assert_eq!(call.arguments.read(1, "größe"), Ok(7u8));
    assert_eq!(call.arguments.read(2, "absent"), Ok(None::<u8>));
    assert_eq!(refusal(call.arguments.read::<u8>(3, "absent")), "argument `absent` is missing");
    assert_eq!(call.arguments.end(1), Ok(()));
}

#[test]
fn of_two_members_with_one_name_the_last_counts() {
    let Some(call) = ClientCall::parse(r#"{"event":"a","x":1,"event":"b","x":2}"#) else { panic!("it is a call") };
    assert_eq!(call.event, "b");
    assert_eq!(call.arguments.read(0, "x"), Ok(2u8));
}

#[test]
fn other_texts_are_no_calls() {
    for text in [
        "",
        " ",
        "hi",
        "[]",
        "{",
        "{}",
        r#"{"event"}"#,
        r#"{"event":1}"#,
        r#"{"event":null}"#,
        r#"{"event":["say"]}"#,
        r#"{"Event":"say"}"#,
        r#"{"event":"say"} trailing"#,
        r#"{"event":"say",}"#,
        "{\"event\":\"\\ud800\"}",
        "\u{a0}{\"event\":\"say\"}",
    ] {
        assert!(ClientCall::parse(text).is_none(), "{text}");
    }
}
