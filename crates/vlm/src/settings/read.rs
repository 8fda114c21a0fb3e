//! From texts to a provider that is ready to be asked.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tiller_core::Environment;
use tiller_core::file::read_regular_text;

use crate::Author;
use crate::budget::{Budget, BudgetLimits, Prices};
use crate::cache::Cache;
use crate::exchange::{Client, RetryPolicy};
use crate::prompt::PromptSet;
use crate::provider::{
    Api, ConfigError, DEFAULT_KEY_FILE, EmbeddedProvider, FilesProvider, Matching, PictureDetail,
    Provider, RemoteConfig, RemoteProvider, Secret, SecretError, Timeouts, TokenLimit,
    is_default_key_file, key_file, parse_extra_body, parse_headers,
};
use crate::repair::{AuthoringPolicy, Fallback};

/// Everything that the settings say.
pub struct Ready {
    /// Who is asked.
    pub provider: Arc<dyn Provider>,
    /// Where the key is from; `None` is no key.
    pub key_origin: Option<String>,
    /// What its owner should know of the key.
    pub key_remark: Option<&'static str>,
    /// Tries of one question.
    pub retry: RetryPolicy,
    /// What an episode may spend.
    pub budget: Budget,
    /// The folder in which answers are kept.
    pub cache_dir: Option<PathBuf>,
    /// What is asked.
    pub prompts: PromptSet,
    /// How often a model may mend its program, and what happens when none is sound.
    pub policy: AuthoringPolicy,
    /// The longest that a program takes, repairs included; then the fallback.
    pub program_timeout: Duration,
    /// Whether stage queries are put to the model.
    pub advice: bool,
}

impl Ready {
    /// Who is asked, such as `openai/gpt-5-mini`.
    #[must_use]
    pub fn name(&self) -> String {
        let identity = self.provider.identity();
        match self.provider.is_remote() {
            true => format!("{}/{}", identity.provider, identity.model),
            false => identity.provider.clone(),
        }
    }

    /// The provider within its budget, with its tries and its cache.
    #[must_use]
    pub fn client(&self) -> Client {
        let client = Client::new(self.provider.clone())
            .with_retry(self.retry)
            .with_budget(self.budget.clone());
        match &self.cache_dir {
            Some(folder) => client.with_cache(Cache::new(folder)),
            None => client,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Embedded,
    Remote(Api),
    Files,
}

/// Bytes of a file with an extra body.
const MAX_EXTRA_BODY: u64 = 256 * 1024;

const SWITCH: [(&str, bool); 2] = [("on", true), ("off", false)];

/// Reads every setting of [`super::SETTINGS`]; nothing is contacted yet. `embedded` writes without a
/// network. What is wrong is noted in `env`, by the setting's name and without its value; the
/// result is then worth nothing, and [`Environment::finish`] refuses it.
pub fn read(env: &mut Environment, embedded: &Arc<dyn Author>) -> Ready {
    let sources: Vec<_> = [("embedded", Source::Embedded)]
        .into_iter()
        .chain(
            Api::ALL
                .iter()
                .map(|api| (api.name(), Source::Remote(*api))),
        )
        .chain([("files", Source::Files)])
        .collect();
    let source = env.choice("VLM_PROVIDER", "embedded", &sources);
    let fallbacks =
        [Fallback::Embedded, Fallback::Unsteered, Fallback::Hold].map(|word| (word.name(), word));
    let fallback = match env.choice("FALLBACK", "hold", &fallbacks) {
        // It would only say once more what it has just said.
        Fallback::Embedded if source == Source::Embedded => Fallback::Hold,
        other => other,
    };
    let policy = AuthoringPolicy {
        max_repairs: env.number("MAX_REPAIRS", 2, 0..=10),
        fallback,
    };
    let advice = env.choice("ADVICE", "on", &SWITCH) && source != Source::Embedded;
    let seconds = env.number("PROGRAM_TIMEOUT_S", 300.0, 0.01..=3600.0);
    let (provider, key) = provider(env, source, embedded);
    Ready {
        provider,
        key_remark: key.as_ref().and_then(|key| key.remark),
        key_origin: key.map(|key| key.origin),
        retry: RetryPolicy {
            attempts: env.number("TRIES", 3, 1..=10),
            ..RetryPolicy::default()
        },
        budget: budget(env),
        cache_dir: env.optional("CACHE_DIR").map(PathBuf::from),
        prompts: prompts(env),
        policy,
        program_timeout: Duration::from_secs_f64(seconds),
        advice,
    }
}

fn provider(
    env: &mut Environment,
    source: Source,
    embedded: &Arc<dyn Author>,
) -> (Arc<dyn Provider>, Option<KeySource>) {
    let found: Option<(Arc<dyn Provider>, _)> = match source {
        Source::Embedded => None,
        Source::Remote(api) => {
            remote(env, api).map(|(provider, key)| (Arc::new(provider) as _, key))
        }
        Source::Files => files(env).map(|provider| (Arc::new(provider) as _, None)),
    };
    // Where a setting is wrong the reading goes on with what needs none, and is refused at its end.
    found.unwrap_or_else(|| (Arc::new(EmbeddedProvider::new(embedded.clone())), None))
}

fn files(env: &mut Environment) -> Option<FilesProvider> {
    let words = [("exact", Matching::Exact), ("in_order", Matching::InOrder)];
    // Two runs hardly ever see the same picture to the last bit.
    let matching = env.choice("MATCHING", "in_order", &words);
    let expected = "the folder or file with recorded answers that `files` reads";
    if env.optional("ANSWERS").is_none() {
        env.refuse("ANSWERS", expected, None);
    }
    let path = existing(env, "ANSWERS", expected)?;
    FilesProvider::open(&path, matching)
        .map_err(|error| {
            let found = env.optional("ANSWERS");
            env.refuse("ANSWERS", &format!("{expected} ({error})"), found);
        })
        .ok()
}

/// Where a key is from, and what there is to say of that.
struct KeySource {
    origin: String,
    remark: Option<&'static str>,
}

fn remote(env: &mut Environment, api: Api) -> Option<(RemoteProvider, Option<KeySource>)> {
    let expected = format!("the name of a model of provider `{}`", api.name());
    let model = env.required("MODEL", &expected);
    let defaults = Timeouts::default();
    let mut seconds = |name, default: Duration| {
        Duration::from_secs_f64(env.number(name, default.as_secs_f64(), 0.01..=3600.0))
    };
    let timeouts = Timeouts {
        connect: seconds("CONNECT_TIMEOUT_S", defaults.connect),
        first_byte: seconds("FIRST_BYTE_TIMEOUT_S", defaults.first_byte),
        total: seconds("TOTAL_TIMEOUT_S", defaults.total),
    };
    let mut config = RemoteConfig {
        base_url: env.optional("BASE_URL"),
        key_header: env.optional("KEY_HEADER"),
        api_version: env.optional("API_VERSION"),
        allow_plain_http: env.choice("ALLOW_PLAIN_HTTP", "off", &SWITCH),
        environment_proxy: env.choice("ENVIRONMENT_PROXY", "off", &SWITCH),
        stream: env.choice("STREAM", "on", &SWITCH),
        timeouts,
        max_output_tokens: env.number("MAX_OUTPUT_TOKENS", 8192, 1..=131_072),
        token_limit: env.choice(
            "TOKEN_LIMIT_NAME",
            "auto",
            &words(TokenLimit::ALL, TokenLimit::name),
        ),
        temperature: optional_number(env, "TEMPERATURE", 0.0..=2.0),
        reasoning_effort: env.optional("REASONING_EFFORT"),
        picture_tokens: env.number("PICTURE_TOKENS", 1600, 0..=1_000_000),
        ..RemoteConfig::new(api, &model)
    };
    if env.optional("PICTURE_DETAIL").is_some() {
        let allowed = words(PictureDetail::ALL, PictureDetail::name);
        config.picture_detail = Some(env.choice("PICTURE_DETAIL", "auto", &allowed));
    }
    let mut sound = !model.is_empty();
    let mut refuse = |env: &mut Environment, error: &ConfigError| {
        refuse_config(env, error);
        sound = false;
    };
    if let Some(text) = env.optional("HEADERS") {
        match parse_headers(&text).and_then(with_files) {
            Ok(headers) => config.extra_headers = headers,
            Err(error) => refuse(env, &error),
        }
    }
    if let Some(text) = env.optional("EXTRA_BODY") {
        match from_file(&text).and_then(|text| parse_extra_body(&text)) {
            Ok(fields) => config.extra_body = fields,
            Err(error) => refuse(env, &error),
        }
    }
    let file = key_file(env.optional("KEY_FILE"));
    let mut key_source = None;
    match key(env, api, file.as_deref()) {
        Ok(key) => {
            key_source = Some(KeySource {
                remark: key.remark(),
                origin: match &file {
                    Some(file) if is_default_key_file(file) => {
                        format!("the file `{DEFAULT_KEY_FILE}`")
                    }
                    Some(_) => "the file that KEY_FILE names".to_owned(),
                    None => api.key_variable().to_owned(),
                },
            });
            config.key = Some(key);
        }
        Err(SecretError::Missing { .. }) if config.base_url.is_some() => {}
        Err(error) => {
            let name = match file {
                Some(_) => "KEY_FILE",
                None => api.key_variable(),
            };
            let found = env.optional(name);
            env.refuse(name, &format!("a key ({error})"), found);
            sound = false;
        }
    }
    if model.is_empty() {
        // Said already; what else is wrong is found with any name.
        config.model = "m".to_owned();
    }
    match RemoteProvider::new(config) {
        Ok(provider) if sound => Some((provider, key_source)),
        Ok(_) => None,
        Err(errors) => {
            // That there is no key was said above, by the name of its variable.
            let is_news = |error: &&ConfigError| !matches!(error, ConfigError::Secret(_));
            for error in errors.found.iter().filter(is_news) {
                refuse_config(env, error);
            }
            None
        }
    }
}

fn key(env: &mut Environment, api: Api, file: Option<&str>) -> Result<Secret, SecretError> {
    let text = env.optional(api.key_variable());
    Secret::load(api.key_variable(), |name| match name {
        "KEY_FILE" => file.map(str::to_owned),
        _ => text.clone(),
    })
}

/// Headers with their values; `@FILE` is what the file holds, for dora shows its nodes' settings to
/// every node.
fn with_files(headers: Vec<(String, Secret)>) -> Result<Vec<(String, Secret)>, ConfigError> {
    let read = |(name, value): (String, Secret)| match value.expose().strip_prefix('@') {
        None => Ok((name, value)),
        Some(path) => Secret::from_file(Path::new(path))
            .map(|value| (name, value))
            .map_err(|error| ConfigError::Setting {
                name: "HEADERS",
                expected: format!("`@` and a file with the value ({error})"),
                found: "another text".to_owned(),
            }),
    };
    headers.into_iter().map(read).collect()
}

/// The extra body itself, or what the file after `@` holds.
fn from_file(text: &str) -> Result<String, ConfigError> {
    let Some(path) = text.strip_prefix('@') else {
        return Ok(text.to_owned());
    };
    read_regular_text(Path::new(path), MAX_EXTRA_BODY).map_err(|error| ConfigError::Setting {
        name: "EXTRA_BODY",
        expected: format!("`@` and a file with a JSON object ({})", error.reason()),
        found: "another text".to_owned(),
    })
}

/// Notes a mistake that the provider found, by the setting that it is in.
fn refuse_config(env: &mut Environment, error: &ConfigError) {
    let name = error.setting();
    if let ConfigError::Setting {
        expected, found, ..
    } = error
    {
        return env.refuse_as(name, expected, found);
    }
    let found = env.optional(name);
    env.refuse(name, &format!("what can be used ({error})"), found);
}

/// The words of a setting with what they stand for.
fn words<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> Vec<(&'static str, T)> {
    all.iter().map(|choice| (name(*choice), *choice)).collect()
}

fn prompts(env: &mut Environment) -> PromptSet {
    let folder = existing(env, "PROMPT_DIR", "a folder with prompts");
    let prompts = PromptSet::load(folder.as_deref()).unwrap_or_else(|error| {
        let found = env.optional("PROMPT_DIR");
        env.refuse(
            "PROMPT_DIR",
            &format!("a folder with prompts ({error})"),
            found,
        );
        PromptSet::built_in()
    });
    prompts.with_scene_notes(&env.optional("SCENE_NOTES").unwrap_or_default())
}

/// The path that a setting names, if there is something there. A text that names nothing may be a
/// secret in the wrong place, and is not shown.
fn existing(env: &mut Environment, name: &str, expected: &str) -> Option<PathBuf> {
    let text = env.optional(name)?;
    let path = PathBuf::from(&text);
    match path.try_exists() {
        Ok(true) => Some(path),
        _ => {
            let expected = format!("{expected}, and there is nothing of that name");
            env.refuse(name, &expected, Some(text));
            None
        }
    }
}

fn budget(env: &mut Environment) -> Budget {
    let limits = BudgetLimits {
        queries: optional_number(env, "MAX_QUERIES", 1..=1_000_000),
        tokens: optional_number(env, "MAX_TOKENS", 1..=1_000_000_000_000),
        cost_usd: optional_number(env, "MAX_COST_USD", 0.0..=1e6),
    };
    let prices = Prices {
        input_usd_per_million: env.number("INPUT_USD_PER_MILLION", 0.0, 0.0..=1e6),
        output_usd_per_million: env.number("OUTPUT_USD_PER_MILLION", 0.0, 0.0..=1e6),
    };
    Budget::new(limits, prices).unwrap_or_else(|error| {
        let found = limits.cost_usd.map(|limit| limit.to_string());
        env.refuse("MAX_COST_USD", &format!("a limit ({error})"), found);
        Budget::default()
    })
}

fn optional_number<T>(
    env: &mut Environment,
    name: &str,
    allowed: std::ops::RangeInclusive<T>,
) -> Option<T>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display + Copy,
{
    env.optional(name)?;
    Some(env.number(name, *allowed.start(), allowed))
}
