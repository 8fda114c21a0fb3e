use super::*;

fn read<'b>(api: Api, pieces: impl Iterator<Item = &'b [u8]>) -> Result<Reply, ProviderError> {
    let mut identity = Identity::local(api.name());
    identity.max_output_tokens = 50;
    let mut answer = AnswerReader::new(api, 2048);
    for piece in pieces {
        answer.take(piece)?;
        if answer.is_over() {
            break;
        }
    }
    answer.finish(&identity, 7)
}

/// An answer of `yes`, a robot and a letter in every format and shape.
fn bodies() -> Vec<(Api, String)> {
    let stream = |values: &[&str]| -> String {
        values
            .iter()
            .map(|value| format!("data: {value}\n\n"))
            .collect()
    };
    let openai = [
        r#"{"choices": [{"delta": {"reasoning": "hm", "content": "yes \ud83e"}}]}"#,
        r#"{"choices": [{"delta": {"content": "\udd16ä"}}]}"#,
        r#"{"choices": [{"delta": {}, "finish_reason": "stop"}]}"#,
        r#"{"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}"#,
    ];
    let responses = [
        r#"{"type": "response.created", "response": {}}"#,
        r#"{"type": "response.output_text.delta", "delta": "yes \ud83e"}"#,
        r#"{"type": "response.output_text.delta", "delta": "\udd16ä"}"#,
        r#"{"type": "response.completed", "response": {"status": "completed", "output": []}}"#,
    ];
    let anthropic = [
        r#"{"type": "message_start", "message": {"usage": {"input_tokens": 3}}}"#,
        r#"{"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "hm"}}"#,
        r#"{"type": "content_block_delta", "delta": {"type": "text_delta", "text": "yes 🤖"}}"#,
        r#"{"type": "content_block_delta", "delta": {"type": "text_delta", "text": "ä"}}"#,
        r#"{"type": "message_delta", "delta": {"stop_reason": "end_turn"}}"#,
        r#"{"type": "message_stop"}"#,
    ];
    let gemini = [
        r#"{"candidates": [{"content": {"parts": [{"text": "hm", "thought": true}]}}]}"#,
        r#"{"candidates": [{"content": {"parts": [{"text": "yes 🤖"}]}}]}"#,
        r#"{"candidates": [{"content": {"parts": [{"text": "ä"}]}, "finishReason": "STOP"}]}"#,
    ];
    let mut all = vec![
        (Api::OpenAi, r#"{"choices": [{"message": {"content": "yes 🤖ä"}, "finish_reason": "stop"}]}"#.to_owned()),
        (Api::Responses, r#"{"status": "completed", "output": [{"type": "message", "content": [{"type": "output_text", "text": "yes 🤖ä"}]}]}"#.to_owned()),
        (Api::Anthropic, r#"{"content": [{"type": "text", "text": "yes 🤖ä"}], "stop_reason": "end_turn"}"#.to_owned()),
        (Api::Gemini, r#"{"candidates": [{"content": {"parts": [{"text": "yes 🤖ä"}]}, "finishReason": "STOP"}]}"#.to_owned()),
    ];
    for (api, values) in [
        (Api::OpenAi, &openai[..]),
        (Api::Responses, &responses),
        (Api::Anthropic, &anthropic),
        (Api::Gemini, &gemini),
    ] {
        all.push((api, stream(values)));
        all.push((
            api,
            format!(
                "\u{feff}\r\n{}data: [DONE]\n\n",
                stream(values).replace('\n', "\r\n")
            ),
        ));
        all.push((api, values.join("\n")));
        all.push((api, format!("[{}\r\n]", values.join("\n,\r\n"))));
    }
    all
}

#[test]
fn where_the_network_cuts_makes_no_difference() {
    for (api, body) in bodies() {
        for step in [1, 2, 3, 7, 50, 10_000] {
            let reply = read(api, body.as_bytes().chunks(step));
            assert_eq!(reply.unwrap().text, "yes \u{1f916}\u{e4}", "{step} {body}");
        }
    }
}

#[test]
fn no_beginning_of_an_answer_is_taken_for_the_whole() {
    for (api, body) in bodies() {
        let mut whole = 0;
        for end in 0..body.len() {
            match read(api, std::iter::once(&body.as_bytes()[..end])) {
                Ok(reply) => {
                    assert_eq!(reply.text, "yes \u{1f916}\u{e4}", "{end} {body}");
                    whole += 1;
                }
                // A few letters of the first line may be anything.
                Err(_) if end < "\u{feff}\r\ndata:".len() => {}
                Err(error) => assert!(error.outcome.is_transient(), "{end} {body}: {error}"),
            }
        }
        assert!(whole < body.len() / 2, "{whole} {body}");
    }
}

#[test]
fn what_is_too_large_is_refused_unread() {
    let take = |bytes: &[u8]| {
        AnswerReader::new(Api::OpenAi, 2048)
            .take(bytes)
            .map_err(|error| error.outcome)
    };
    let long = format!(
        r#"{{"choices": [{{"message": {{"content": "{}"}}}}]}}"#,
        "x".repeat(2049)
    );
    assert_eq!(take(long.as_bytes()), Err(Outcome::TooLarge));
    assert_eq!(take(&vec![b' '; (4 << 20) + 1]), Err(Outcome::TooLarge));
    let mut answer = AnswerReader::new(Api::OpenAi, 2048);
    assert!(answer.expect(Some(4 << 20)).is_ok());
    assert!(answer.expect(Some((4 << 20) + 1)).is_err());
}
