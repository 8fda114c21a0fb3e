use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use tiller_page::OrderKind;
use tungstenite::Message;
use tungstenite::client::IntoClientRequest;

use super::*;
use crate::pictures::Picture;

/// A page, the folder of its run, and who sends pictures to it.
fn served(place: &str) -> (Web, tempfile::TempDir, watch::Sender<Album>) {
    let folder = tempfile::tempdir().unwrap();
    let (packed, album) = watch::channel(Album::new());
    let place = Place::Exactly(place.parse().unwrap());
    let web = Web::start(place, folder.path(), album, Bell::default())
        .unwrap()
        .unwrap();
    (web, folder, packed)
}

fn address(web: &Web) -> SocketAddr {
    let address: SocketAddr = web.url["http://".len()..]
        .trim_end_matches('/')
        .parse()
        .unwrap();
    SocketAddr::new([127, 0, 0, 1].into(), address.port())
}

/// Sends a request as it stands; gives status, head and body.
fn request(web: &Web, head: &str, body: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address(web)).unwrap();
    let length = body.len();
    write!(
        stream,
        "{head}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), body.to_owned())
}

/// A request as the page itself sends it.
fn own(web: &Web, method: &str, path: &str) -> String {
    let host = address(web);
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nContent-Type: application/json"
    )
}

#[test]
fn the_page_is_its_own_files_alone_and_says_so_to_the_browser() {
    let (web, folder, _album) = served("127.0.0.1:0");
    let (status, head, body) = request(&web, &own(&web, "GET", "/"), "");
    assert_eq!(status, 200);
    assert!(
        head.contains("content-security-policy: default-src 'none'"),
        "{head}"
    );
    assert!(head.contains("x-content-type-options: nosniff"), "{head}");
    assert!(body.starts_with("<!doctype html>"));
    let named = body
        .split('"')
        .filter(|word| word.starts_with('/') && word.len() > 1);
    for path in named {
        assert_eq!(request(&web, &own(&web, "GET", path), "").0, 200, "{path}");
    }
    assert_eq!(request(&web, &own(&web, "GET", "/none"), "").0, 404);
    let url = fs::read_to_string(folder.path().join(URL_FILE)).unwrap();
    assert_eq!(url, web.url);
    drop(web);
    assert!(!folder.path().join(URL_FILE).exists());
}

#[test]
fn nothing_of_the_page_is_markup_from_text_or_comes_from_elsewhere() {
    for (path, _, content) in assets::ASSETS {
        for word in [
            "innerHTML",
            "outerHTML",
            "insertAdjacent",
            "document.write",
            "eval(",
            "https://",
            "http://",
            "DOMParser",
            "createContextualFragment",
            " style=\"",
        ] {
            assert!(!content.contains(word), "{path}: {word}");
        }
    }
}

#[test]
fn other_hosts_and_other_pages_are_refused() {
    let (web, _folder, _album) = served("127.0.0.1:0");
    let host = address(&web);
    let stop = r#"{"ask":"order","order":"stop"}"#;
    let json = "Content-Type: application/json";
    for (head, expected) in [
        (
            format!("GET / HTTP/1.1\r\nHost: evil.example:{}", host.port()),
            421,
        ),
        (format!("POST /ask HTTP/1.1\r\nHost: {host}\r\n{json}"), 403),
        (
            format!("POST /ask HTTP/1.1\r\nHost: {host}\r\nOrigin: http://evil.example\r\n{json}"),
            403,
        ),
        (
            format!("POST /ask HTTP/1.1\r\nHost: {host}\r\nOrigin: null\r\n{json}"),
            403,
        ),
        (
            format!(
                "POST /ask HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nContent-Type: text/plain"
            ),
            415,
        ),
        (
            format!("GET /live HTTP/1.1\r\nHost: {host}\r\nOrigin: http://evil.example"),
            403,
        ),
    ] {
        assert_eq!(request(&web, &head, stop).0, expected, "{head}");
    }
    assert!(web.asks.try_recv().is_err(), "nothing has come through");
}

#[test]
fn what_is_asked_for_reaches_the_node_and_its_answer_the_page() {
    let (mut web, _folder, _album) = served("127.0.0.1:0");
    let head = own(&web, "POST", "/ask");
    let asks = std::mem::replace(&mut web.asks, channel().1);
    let asked = thread::scope(|scope| {
        let node = scope.spawn(move || {
            let mut asked = Vec::new();
            for answer in [json!({ "order": "7" }), json!({ "error": "too late" })] {
                let (ask, sender) = asks.recv().unwrap();
                asked.push(ask);
                sender.send(answer).unwrap();
            }
            asked
        });
        let post = |body: &str| request(&web, &head, body);
        let (status, _, body) = post(r#"{"ask":"order","order":"stop"}"#);
        assert_eq!((status, body.as_str()), (200, r#"{"order":"7"}"#));
        assert_eq!(post("nonsense").0, 400);
        let (status, _, body) = post(r#"{"ask":"order","order":"resume"}"#);
        assert_eq!((status, body.as_str()), (409, r#"{"error":"too late"}"#));
        node.join().unwrap()
    });
    assert_eq!(
        asked,
        [Ask::Order(OrderKind::Stop), Ask::Order(OrderKind::Resume)]
    );
}

#[test]
fn who_watches_gets_changes_and_the_newest_picture() {
    let (web, _folder, album) = served("127.0.0.1:0");
    let section = |name, value| Section { name, value };
    web.show(vec![
        section("arm", json!("ready")),
        section("ages", json!(1)),
    ]);
    let mut request = format!("ws://{}/live", address(&web))
        .into_client_request()
        .unwrap();
    let origin = format!("http://{}", address(&web)).parse().unwrap();
    request.headers_mut().insert("Origin", origin);
    let stream = TcpStream::connect(address(&web)).unwrap();
    let (mut socket, _) = tungstenite::client(request, stream).unwrap();
    let first = socket.read().unwrap();
    assert_eq!(first, Message::text(r#"{"arm":"ready","ages":1}"#));
    assert!(web.is_watched());
    web.show(vec![
        section("arm", json!("ready")),
        section("ages", json!(2)),
    ]);
    assert_eq!(socket.read().unwrap(), Message::text(r#"{"ages":2}"#));
    // Nobody says that pictures were drawn: some go out, and then none but for a word.
    let send = |number: u64| {
        let jpeg = number.to_be_bytes().to_vec();
        let picture = Arc::new(Picture { number, jpeg });
        album.send_modify(|album| drop(album.insert("image".to_owned(), picture)));
    };
    let number = |message: Message| {
        let bytes = message.into_data();
        assert_eq!(&bytes[..6], b"\x05image");
        u64::from_be_bytes(bytes[6..].try_into().unwrap())
    };
    for n in 1..=4 {
        send(n);
        assert_eq!(number(socket.read().unwrap()), n);
    }
    (5..=9).for_each(send);
    web.show(vec![section("ages", json!(3))]);
    let next = socket.read().unwrap();
    assert_eq!(
        next,
        Message::text(r#"{"ages":3}"#),
        "no picture is in its way"
    );
    socket.send(Message::text("drawn")).unwrap();
    assert_eq!(number(socket.read().unwrap()), 9, "the newest alone");
}

#[test]
fn from_another_machine_a_session_is_needed_that_the_token_opens() {
    use std::os::unix::fs::PermissionsExt;
    let (web, folder, _album) = served("0.0.0.0:0");
    let path = folder.path().join(TOKEN_FILE);
    let token = fs::read_to_string(&path).unwrap();
    assert_eq!(token.len(), 32);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let stop = r#"{"ask":"order","order":"resume"}"#;
    let ask = own(&web, "POST", "/ask");
    assert_eq!(request(&web, &ask, stop).0, 401);
    assert_eq!(request(&web, &own(&web, "GET", "/live"), "").0, 401);
    assert_eq!(request(&web, &own(&web, "GET", "/session"), "").0, 401);
    assert_eq!(
        request(&web, &own(&web, "GET", "/"), "").0,
        200,
        "where a token is typed"
    );
    let open = own(&web, "POST", "/session");
    assert_eq!(request(&web, &open, r#"{"token":"0123"}"#).0, 401);
    let (status, head, _) = request(&web, &open, &json!({ "token": token }).to_string());
    assert_eq!(status, 204);
    assert!(head.contains("httponly; samesite=strict"), "{head}");
    let cookie = head.split("set-cookie: ").nth(1).unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let session = format!("{}\r\nCookie: {cookie}", own(&web, "GET", "/session"));
    assert_eq!(request(&web, &session, "").0, 204);
    assert!(web.asks.try_recv().is_err(), "nothing has come through");
}

#[test]
fn a_port_that_is_taken_is_an_error_where_it_was_asked_for() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let start = |place| {
        let (_, album) = watch::channel(Album::new());
        Web::start(place, folder.path(), album, Bell::default())
    };
    let error = format!("{:#}", start(Place::Exactly(address)).err().unwrap());
    assert!(error.contains("CONSOLE_ADDRESS"), "{error}");
    let web = start(Place::Usual(address)).unwrap().unwrap();
    assert!(!web.is_usual && web.url.starts_with("http://127.0.0.1:"));
}

#[test]
fn one_that_takes_over_serves_where_the_one_before_did() {
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        let (_, album) = watch::channel(Album::new());
        let place = Place::Exactly("127.0.0.1:0".parse().unwrap());
        Web::start(place, folder.path(), album, Bell::default())
            .unwrap()
            .unwrap()
    };
    let first = start();
    let (url, before) = (
        first.url.clone(),
        fs::read(folder.path().join(URL_FILE)).unwrap(),
    );
    let beside = start();
    assert_ne!(beside.url, url, "that port is taken");
    drop((first, beside));
    // A node that is killed leaves the file.
    fs::write(folder.path().join(URL_FILE), before).unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while start().url != url {
        assert!(std::time::Instant::now() < deadline, "still another port");
        fs::write(folder.path().join(URL_FILE), url.as_bytes()).unwrap();
    }
}
