//! Servers that do not take every request: what they say is heeded once, and for good.

use std::sync::Arc;

use serde_json::{Value, json};
use tiller_vlm::exchange::{Client, Exchange};
use tiller_vlm::provider::{
    Adaptation, Api, Outcome, Picture, PictureDetail, Provider, Query, RemoteConfig,
    RemoteProvider, parse_extra_body, parse_headers,
};
use tiller_vlm_testing::{
    APIS, Ending, KEY, Script, Server, json_response, query, response, shows_key, streamed, whole,
};

const ANSWER: &str = "num_stages = 1\n";

/// Status line and body of a refusal; none if the request is taken.
type Rule = fn(&str, &Value) -> Option<(&'static str, String)>;

fn body_of(request: &str) -> Value {
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

fn path_of(request: &str) -> &str {
    request.split(' ').nth(1).unwrap()
}

/// A server that answers what passes the rule.
async fn picky(api: Api, rule: Rule) -> Server {
    let handler = move |_: usize, request: &str| -> Script {
        let body = body_of(request);
        match rule(path_of(request), &body) {
            Some((status, text)) => response(status, "content-type: application/json\r\n", text),
            None if api == Api::Gemini && !path_of(request).contains("stream")
                || body["stream"] == false
                || (api != Api::Gemini && body.get("stream").is_none()) =>
            {
                json_response(whole(api, ANSWER, Ending::Complete).to_string())
            }
            None => streamed(api, ANSWER, Ending::Complete),
        }
    };
    Server::start_with(Arc::new(handler)).await
}

/// Asks twice; gives the first answer, how many requests each took, and what was learnt.
async fn ask_twice(
    api: Api,
    rule: Rule,
    change: impl FnOnce(&mut RemoteConfig),
) -> (Exchange, [usize; 2], Vec<Adaptation>, Vec<String>) {
    let server = picky(api, rule).await;
    let mut config = server.config(api);
    change(&mut config);
    let provider = Arc::new(RemoteProvider::new(config).unwrap());
    let client = Client::new(provider.clone());
    let first = client.ask(&query()).await;
    let after_first = server.requests().len();
    client.ask(&query()).await;
    let requests = server.requests();
    let counts = [after_first, requests.len() - after_first];
    let shown = format!("{first:?} {:?} {provider:?}", provider.adaptations());
    assert!(!shown.contains(KEY) && !shows_key(&shown), "{shown}");
    (first, counts, provider.adaptations(), requests)
}

fn refused(message: &str) -> Option<(&'static str, String)> {
    let body = json!({"error": {"message": message, "type": "invalid_request_error"}});
    Some(("400 Bad Request", body.to_string()))
}

fn settings(adaptations: &[Adaptation]) -> Vec<&str> {
    adaptations
        .iter()
        .map(|one| one.setting.as_deref().unwrap_or("none"))
        .collect()
}

/// A server as strict as they come: one complaint at a time.
fn strict(_: &str, body: &Value) -> Option<(&'static str, String)> {
    if body.get("max_tokens").is_some() {
        return refused(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        );
    }
    if body.get("stream_options").is_some() {
        return refused("Unrecognized request argument supplied: stream_options");
    }
    if body.get("temperature").is_some() {
        return refused(
            "Unsupported value: 'temperature' does not support 0.5 with this model. Only the default (1) value is supported.",
        );
    }
    if body["messages"][0]["role"] == "system" {
        return refused(
            "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
        );
    }
    let limit = body["max_completion_tokens"].as_u64()?;
    (limit > 4096)
        .then(|| refused(&format!("max_tokens is too large: {limit}. This model supports at most 4096 completion tokens, whereas you provided {limit}.")))
        .flatten()
}

#[tokio::test]
async fn a_strict_server_is_heeded_step_by_step_and_remembered() {
    let (first, counts, learnt, requests) = ask_twice(Api::OpenAi, strict, |config| {
        config.temperature = Some(0.5);
    })
    .await;
    assert_eq!(first.result.unwrap().text, ANSWER);
    assert_eq!(first.attempts.len(), 1, "changes are no further tries");
    assert_eq!(counts, [6, 1]);
    assert_eq!(
        settings(&learnt),
        [
            "TOKEN_LIMIT_NAME=max_completion_tokens",
            "EXTRA_BODY={\"stream_options\":null}",
            "TEMPERATURE=",
            "none",
            "MAX_OUTPUT_TOKENS=4096",
        ]
    );
    let last = body_of(&requests[6]);
    assert_eq!(last["messages"][0]["content"], "the rules\n\nthe question");
    assert_eq!(last["max_completion_tokens"], 4096);
}

/// The same complaints with a status of success: each costs what it may have cost, and is heeded.
#[tokio::test]
async fn complaints_within_an_answer_are_heeded_and_charged() {
    let rules: [Rule; 2] = [
        |path, body| strict(path, body).map(|(_, text)| ("200 OK", text)),
        // An event of a stream.
        |path, body| strict(path, body).map(|(_, text)| ("200 OK", format!("data: {text}\n\n"))),
    ];
    for rule in rules {
        let server = picky(Api::OpenAi, rule).await;
        let mut config = server.config(Api::OpenAi);
        config.temperature = Some(0.5);
        let most = u64::from(config.max_output_tokens);
        let provider = Arc::new(RemoteProvider::new(config).unwrap());
        let client = Client::new(provider.clone());
        let first = client.ask(&query()).await;
        assert_eq!(first.result.unwrap().text, ANSWER);
        let ends: Vec<&str> = first
            .attempts
            .iter()
            .map(|one| one.outcome.as_str())
            .collect();
        assert_eq!((ends.len(), ends[5]), (6, "ok"), "{ends:?}");
        assert_eq!(provider.adaptations().len(), 5);
        // They are no failed tries, which would have been three, and none was free.
        let spent = client.spent();
        assert_eq!(spent.queries, 6);
        assert!(spent.output_tokens >= 5 * most, "{spent:?}");
        let second = client.ask(&query()).await;
        assert_eq!((second.attempts.len(), server.requests().len()), (1, 7));
    }
}

/// What comes after words of an answer is no complaint about the request, nor is a refusal of who asks.
#[tokio::test]
async fn nothing_is_learnt_within_words_or_from_limits() {
    let begun = |message: &str| {
        format!(
            "data: {}\n\ndata: {}\n\n",
            json!({"choices": [{"delta": {"content": "num"}}]}),
            json!({"error": {"message": message, "code": 400}})
        )
    };
    let at_once = |error: Value| format!("data: {}\n\n", json!({"error": error}));
    for body in [
        begun("Unsupported parameter: 'temperature'"),
        at_once(json!({"message": "Unsupported parameter: 'temperature'", "code": 401})),
        at_once(json!({"message": "Rate limit: temperature not supported", "code": 429})),
        at_once(json!({"message": "something broke", "code": 500})),
    ] {
        let script = response("200 OK", "content-type: text/event-stream\r\n", body);
        let server = Server::start(vec![script]).await;
        let mut config = server.config(Api::OpenAi);
        config.temperature = Some(0.5);
        config.timeouts.total = std::time::Duration::from_secs(3);
        let provider = Arc::new(RemoteProvider::new(config).unwrap());
        let exchange = Client::new(provider.clone()).ask(&query()).await;
        assert!(exchange.result.is_err());
        assert_eq!(provider.adaptations(), [], "{exchange:?}");
    }
}

#[tokio::test]
async fn the_settings_that_are_named_make_the_changes_unnecessary() {
    let (first, counts, learnt, _) = ask_twice(
        Api::OpenAi,
        |path, body| strict(path, body).filter(|(_, text)| !text.contains("'system'")),
        |config| {
            config.token_limit = tiller_vlm::provider::TokenLimit::MaxCompletionTokens;
            config.extra_body = parse_extra_body("{\"stream_options\":null}").unwrap();
            config.max_output_tokens = 4096;
        },
    )
    .await;
    assert_eq!(
        (first.outcome(), counts, learnt.len()),
        (Outcome::Ok, [1, 1], 0)
    );
}

#[tokio::test]
async fn streams_that_are_not_allowed_are_asked_whole() {
    for api in APIS {
        let rule: Rule =
            |path, body| match body["stream"] == true || path.contains("streamGenerate") {
                true => refused("Your organization must be verified to stream this model."),
                false => None,
            };
        let (first, counts, learnt, _) = ask_twice(api, rule, |_| {}).await;
        assert_eq!(first.result.unwrap().text, ANSWER, "{}", api.name());
        assert_eq!((counts, settings(&learnt)), ([2, 1], vec!["STREAM=off"]));
    }
}

#[tokio::test]
async fn what_a_server_names_in_its_own_shape_is_left_out() {
    let rules: [(&str, Rule); 3] = [
        ("REASONING_EFFORT=", |_, body| {
            let text = json!({"code": "invalid-argument", "error": "Model m does not support parameter reasoningEffort."});
            body.get("reasoning_effort")
                .map(|_| ("400 Bad Request", text.to_string()))
        }),
        ("EXTRA_BODY={\"top_k\":null}", |_, body| {
            let text = json!({"detail": [{"type": "extra_forbidden", "loc": ["body", "top_k"], "msg": "Extra inputs are not permitted", "input": 7}]});
            body.get("top_k")
                .map(|_| ("422 Unprocessable Entity", text.to_string()))
        }),
        ("TOKEN_LIMIT_NAME=max_completion_tokens", |_, body| {
            // As it came from a server.
            let text = "{\"error\": {\"message\": \"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.\", \"type\": \"invalid_request_error\", \"param\": \"max_tokens\", \"code\": \"unsupported_parameter\"}}";
            body.get("max_tokens")
                .map(|_| ("400 Bad Request", text.to_owned()))
        }),
    ];
    for (setting, rule) in rules {
        let (first, counts, learnt, _) = ask_twice(Api::OpenAi, rule, |config| {
            config.reasoning_effort = Some("low".to_owned());
            config.extra_body = parse_extra_body("{\"top_k\": 7}").unwrap();
        })
        .await;
        assert_eq!(
            (first.outcome(), counts),
            (Outcome::Ok, [2, 1]),
            "{setting}"
        );
        assert_eq!(settings(&learnt), [setting]);
    }
}

#[tokio::test]
async fn a_server_that_is_never_content_gets_its_say() {
    let rule: Rule = |_, body| {
        let name = body
            .get("max_tokens")
            .map_or("max_completion_tokens", |_| "max_tokens");
        refused(&format!("Unsupported parameter: '{name}'"))
    };
    let (first, counts, _, _) = ask_twice(Api::OpenAi, rule, |_| {}).await;
    let error = first.result.unwrap_err();
    assert_eq!(error.outcome, Outcome::RequestRejected);
    assert!(error.detail.contains("Unsupported parameter"), "{error}");
    assert_eq!(counts, [2, 1], "each name is tried once");
}

#[tokio::test]
async fn other_refusals_are_not_asked_again() {
    for (status, message) in [
        ("401 Unauthorized", "Unsupported parameter: 'temperature'"),
        ("400 Bad Request", "the question is too long"),
        ("400 Bad Request", "this model does not support images"),
        ("404 Not Found", "The model `m` does not exist"),
    ] {
        let server = Server::start(vec![response(
            status,
            "",
            json!({"error": {"message": message}}).to_string(),
        )])
        .await;
        let mut config = server.config(Api::OpenAi);
        config.temperature = Some(0.5);
        config.base_url = Some(format!("http://{}", server.address));
        let provider = Arc::new(RemoteProvider::new(config).unwrap());
        let exchange = Client::new(provider.clone()).ask(&query()).await;
        assert_eq!(
            (exchange.attempts.len(), server.requests().len()),
            (1, 1),
            "{message}"
        );
        assert!(provider.adaptations().is_empty());
    }
}

#[tokio::test]
async fn base_urls_may_end_in_the_route_or_lack_the_version() {
    let rule: Rule = |path, _| match path {
        "/v1/chat/completions" => None,
        _ => Some(("404 Not Found", "404 page not found".to_owned())),
    };
    let server = picky(Api::OpenAi, rule).await;
    for end in [
        "",
        "/",
        "/v1",
        "/v1/",
        "/v1/chat/completions",
        "/v1/chat/completions/",
    ] {
        let mut config = server.config(Api::OpenAi);
        config.base_url = Some(format!("http://{}{end}", server.address));
        let client = tiller_vlm_testing::client(config);
        assert_eq!(client.ask(&query()).await.outcome(), Outcome::Ok, "{end}");
    }
    assert_eq!(server.requests().len(), 6);
    let root: Rule = |path, _| match path {
        "/chat/completions" => None,
        _ => Some(("404 Not Found", "404 page not found".to_owned())),
    };
    let server = picky(Api::OpenAi, root).await;
    let mut config = server.config(Api::OpenAi);
    config.base_url = Some(format!("http://{}", server.address));
    let provider = Arc::new(RemoteProvider::new(config).unwrap());
    let exchange = Client::new(provider.clone()).ask(&query()).await;
    assert_eq!(exchange.outcome(), Outcome::Ok);
    let url = format!("BASE_URL=http://{}/chat/completions", server.address);
    assert_eq!(settings(&provider.adaptations()), [url.as_str()]);
}

#[tokio::test]
async fn azure_by_setting_has_its_paths_and_its_header() {
    for (version, header, path) in [
        (None, None, "/openai/v1/chat/completions"),
        (
            Some("2024-10-21"),
            Some("Authorization"),
            "/openai/deployments/test-model/chat/completions?api-version=2024-10-21",
        ),
    ] {
        let server = picky(Api::OpenAi, |_, _| None).await;
        let mut config = server.config(Api::Azure);
        config.base_url = Some(format!("http://{}", server.address));
        config.api_version = version.map(str::to_owned);
        config.key_header = header.map(str::to_owned);
        let client = tiller_vlm_testing::client(config);
        assert_eq!(client.ask(&query()).await.outcome(), Outcome::Ok);
        let request = &server.requests()[0];
        assert_eq!(path_of(request), path);
        let line = match header {
            None => format!("api-key: {KEY}"),
            Some(_) => format!("authorization: Bearer {KEY}"),
        };
        assert!(request.contains(&line), "{request}");
        assert_eq!(request.matches(KEY).count(), 1);
    }
}

#[tokio::test]
async fn extra_headers_and_fields_are_sent_and_not_shown() {
    let rule: Rule = |_, _| {
        Some((
            "400 Bad Request",
            "you sent four-thousand-words and my-token-0815 and robots in the lab".to_owned(),
        ))
    };
    let server = picky(Api::OpenAi, rule).await;
    let mut config = server.config(Api::OpenAi);
    config.extra_headers =
        parse_headers("X-Title: robots in the lab; X-Token: my-token-0815").unwrap();
    config.extra_body =
        parse_extra_body("{\"metadata\": {\"team\": \"arms\"}, \"stream_options\": null}").unwrap();
    config.picture_detail = Some(PictureDetail::Low);
    let provider = Arc::new(RemoteProvider::new(config).unwrap());
    let question = Query {
        picture: Some(Picture::new(b"\x89PNG\r\n\x1a\npicture".to_vec()).unwrap()),
        ..query()
    };
    let exchange = Client::new(provider.clone()).ask(&question).await;
    let shown = format!("{exchange:?} {provider:?}");
    for private in ["my-token-0815", "robots in the lab", "arms"] {
        assert!(!shown.contains(private), "{shown}");
    }
    assert!(shown.contains("four-thousand-words"), "{shown}");
    let request = &server.requests()[0];
    assert!(
        request.contains("x-title: robots in the lab\r\n")
            && request.contains("x-token: my-token-0815\r\n")
    );
    let body = body_of(request);
    assert_eq!(body["metadata"], json!({"team": "arms"}));
    assert!(body.get("stream_options").is_none());
    assert_eq!(
        body["messages"][1]["content"][1]["image_url"]["detail"],
        "low"
    );
}

#[tokio::test]
async fn the_identity_is_the_whole_endpoint_and_shows_no_secret() {
    let identity = |change: fn(&mut RemoteConfig)| {
        let mut config = RemoteConfig::new(Api::OpenAi, "m");
        config.base_url = Some("http://127.0.0.1:9/a/v1".to_owned());
        change(&mut config);
        RemoteProvider::new(config).unwrap().identity().clone()
    };
    let changes: [fn(&mut RemoteConfig); 8] = [
        |_| {},
        |config| config.base_url = Some("http://127.0.0.1:9/b/v1".to_owned()),
        |config| config.base_url = Some("http://127.0.0.1:9/a/v1?x=1".to_owned()),
        |config| config.api_version = Some("1".to_owned()),
        |config| config.reasoning_effort = Some("low".to_owned()),
        |config| config.picture_detail = Some(PictureDetail::High),
        |config| config.extra_headers = parse_headers("X-A: secret-0815").unwrap(),
        |config| config.extra_body = parse_extra_body("{\"a\": \"secret-0815\"}").unwrap(),
    ];
    let all: Vec<String> = changes
        .iter()
        .map(|change| serde_json::to_string(&identity(*change)).unwrap())
        .collect();
    for (index, one) in all.iter().enumerate() {
        assert!(!all[index + 1..].contains(one), "{one}");
        assert!(!one.contains("secret-0815"), "{one}");
    }
    assert_eq!(
        identity(|_| {}),
        identity(|config| config.picture_tokens = 7)
    );
    // As it was recorded before these settings were there.
    let old =
        r#"{"provider":"openai","model":"m","host":"h","max_output_tokens":5,"temperature":null}"#;
    let old: tiller_vlm::provider::Identity = serde_json::from_str(old).unwrap();
    assert_eq!((old.base_url, old.settings_sha256), (None, None));
}

#[tokio::test]
async fn a_picture_is_booked_at_what_the_setting_says() {
    let mut config = RemoteConfig::new(Api::OpenAi, "m");
    config.base_url = Some("http://127.0.0.1:9/v1".to_owned());
    config.picture_tokens = 50_000;
    let provider = RemoteProvider::new(config).unwrap();
    let question = Query {
        picture: Some(Picture::new(b"\x89PNG\r\n\x1a\npicture".to_vec()).unwrap()),
        ..query()
    };
    let words = provider.expected_input_tokens(&query());
    assert_eq!(provider.expected_input_tokens(&question), words + 50_000);
}
