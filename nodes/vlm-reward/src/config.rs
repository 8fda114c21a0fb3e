//! Settings.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tiller_core::Problems;
use tiller_node_kit::Environment;
use tiller_vlm::Author;
use tiller_vlm::budget::{Budget, BudgetLimits, Prices};
use tiller_vlm::cache::Cache;
use tiller_vlm::exchange::{Client, Recorder, RetryPolicy};
use tiller_vlm::prompt::PromptSet;
use tiller_vlm::provider::{
    Api, ConfigError, EmbeddedProvider, Endpoint, FilesProvider, Matching, Provider, RemoteConfig,
    RemoteProvider, Secret, SecretError, Timeouts,
};
use tiller_vlm::repair::{AuthoringPolicy, Fallback};

/// Settings of the node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// How often a model may mend its program, and what happens when none is sound.
    pub(crate) policy: AuthoringPolicy,
    /// Whether stage queries are put to the model.
    pub(crate) advice: bool,
    /// The longest that one question takes.
    pub(crate) question_timeout: Duration,
    /// The longest that a program takes, repairs included; then the fallback.
    pub(crate) program_timeout: Duration,
}

/// Settings, and what was set up with them.
pub(crate) struct Setup {
    /// Settings of the node itself.
    pub(crate) settings: Settings,
    /// Who is asked, with cache, budget and recorder.
    pub(crate) client: Arc<Client>,
    /// What is asked.
    pub(crate) prompts: Arc<PromptSet>,
    /// Who writes without a network.
    pub(crate) embedded: Arc<dyn Author>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Embedded,
    Remote(Api),
    Files,
}

impl Setup {
    /// Reads and checks everything; nothing is contacted yet. `embedded` writes without a network.
    pub(crate) fn read(mut env: Environment, embedded: Arc<dyn Author>) -> Result<Self, Problems> {
        env.renamed("INSTRUCTION", "an `episode` message");
        env.renamed("HORIZON", "a `program_contract` message");
        env.renamed("PROVIDER", "VLM_PROVIDER");
        let sources = [
            ("embedded", Source::Embedded),
            ("openai", Source::Remote(Api::OpenAi)),
            ("anthropic", Source::Remote(Api::Anthropic)),
            ("gemini", Source::Remote(Api::Gemini)),
            ("files", Source::Files),
        ];
        let source = env.choice("VLM_PROVIDER", "embedded", &sources);
        let fallbacks = [Fallback::Embedded, Fallback::Unsteered, Fallback::Hold]
            .map(|fallback| (fallback.name(), fallback));
        let fallback = match env.choice("FALLBACK", "hold", &fallbacks) {
            // It would only say once more what it has just said.
            Fallback::Embedded if source == Source::Embedded => Fallback::Hold,
            other => other,
        };
        let policy = AuthoringPolicy {
            max_repairs: env.number("MAX_REPAIRS", 2, 0..=10),
            fallback,
        };
        let advice = env.choice("ADVICE", "on", &[("on", true), ("off", false)]);
        let prompts = prompts(&mut env);
        let budget = budget(&mut env);
        let retry = RetryPolicy {
            attempts: env.number("TRIES", 3, 1..=10),
            ..RetryPolicy::default()
        };
        let cache = env.optional("CACHE_DIR").map(Cache::new);
        let run_folder = env.optional("RUN_DIR").map(PathBuf::from);
        let provider = provider(&mut env, source, &embedded);
        let question_timeout = provider.total_timeout();
        let program_timeout = env.number("PROGRAM_TIMEOUT_S", 300.0, 0.01..=3600.0);
        let mut client = Client::new(provider).with_retry(retry).with_budget(budget);
        // A replay leaves its recording alone, and the embedded author needs none.
        if let (Source::Remote(_), Some(folder)) = (source, run_folder) {
            let fresh = Recorder::new(folder.join("exchanges"))
                .and_then(|recorder| recorder.start_afresh().map(|()| recorder));
            match fresh {
                Ok(recorder) => client = client.with_recorder(recorder),
                Err(error) => {
                    let found = tiller_core::shown(&folder.to_string_lossy());
                    let expected = format!("a folder for records that can be written ({error})");
                    env.refuse("RUN_DIR", &expected, Some(found));
                }
            }
        }
        if let Some(cache) = cache {
            client = client.with_cache(cache);
        }
        env.finish(Self {
            settings: Settings {
                policy,
                advice: advice && source != Source::Embedded,
                question_timeout,
                program_timeout: Duration::from_secs_f64(program_timeout),
            },
            client: Arc::new(client),
            prompts: Arc::new(prompts),
            embedded,
        })
    }
}

fn provider(
    env: &mut Environment,
    source: Source,
    embedded: &Arc<dyn Author>,
) -> Arc<dyn Provider> {
    let found: Option<Arc<dyn Provider>> = match source {
        Source::Embedded => None,
        Source::Remote(api) => remote(env, api).map(|provider| Arc::new(provider) as _),
        Source::Files => files(env).map(|provider| Arc::new(provider) as _),
    };
    // Where a setting is wrong the reading goes on with what needs none, and is refused at its end.
    found.unwrap_or_else(|| Arc::new(EmbeddedProvider::new(embedded.clone())))
}

fn files(env: &mut Environment) -> Option<FilesProvider> {
    let words = [("exact", Matching::Exact), ("in_order", Matching::InOrder)];
    // Two runs hardly ever see the same picture to the last bit.
    let matching = env.choice("MATCHING", "in_order", &words);
    let expected = "the folder or file with recorded answers that VLM_PROVIDER=files reads";
    let Some(path) = env.optional("ANSWERS") else {
        env.refuse("ANSWERS", expected, None);
        return None;
    };
    FilesProvider::open(path.as_ref(), matching)
        .map_err(|error| env.refuse("ANSWERS", &format!("{expected} ({error})"), Some(path)))
        .ok()
}

fn remote(env: &mut Environment, api: Api) -> Option<RemoteProvider> {
    let switch = [("on", true), ("off", false)];
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
        allow_plain_http: env.choice("ALLOW_PLAIN_HTTP", "off", &switch),
        environment_proxy: env.choice("ENVIRONMENT_PROXY", "off", &switch),
        stream: env.choice("STREAM", "on", &switch),
        timeouts,
        max_output_tokens: env.number("MAX_OUTPUT_TOKENS", 8192, 1..=131_072),
        temperature: optional_number(env, "TEMPERATURE", 0.0..=2.0),
        ..RemoteConfig::new(api, &model)
    };
    let mut sound = !model.is_empty();
    if let Some(url) = &config.base_url
        && let Err(error) = Endpoint::new(url, config.allow_plain_http)
    {
        // The message quotes what may be shown; the URL itself may hold a password.
        env.refuse("BASE_URL", &format!("a base URL ({error})"), None);
        sound = false;
    }
    config.key = match key(env, api) {
        Ok(key) => Some(key),
        Err(SecretError::Missing { .. }) if config.base_url.is_some() => None,
        Err(error) => {
            let name = match error {
                SecretError::Unreadable { .. } => "KEY_FILE",
                _ => api.key_variable(),
            };
            env.refuse(name, &format!("a key ({error})"), None);
            sound = false;
            None
        }
    };
    if !sound {
        return None;
    }
    RemoteProvider::new(config)
        .map_err(|error| {
            let name = match error {
                ConfigError::Model { .. } => "MODEL",
                _ => "VLM_PROVIDER",
            };
            env.refuse(name, &format!("usable settings ({error})"), Some(model));
        })
        .ok()
}

fn key(env: &mut Environment, api: Api) -> Result<Secret, SecretError> {
    let file = env.optional("KEY_FILE");
    let text = env.optional(api.key_variable());
    Secret::load(api.key_variable(), |name| match name {
        "KEY_FILE" => file.clone(),
        _ => text.clone(),
    })
}

fn prompts(env: &mut Environment) -> PromptSet {
    let folder = env.optional("PROMPT_DIR").map(PathBuf::from);
    let expected = "a folder with prompts";
    let prompts = PromptSet::load(folder.as_deref()).unwrap_or_else(|error| {
        let found = folder.map(|folder| folder.display().to_string());
        env.refuse("PROMPT_DIR", &format!("{expected} ({error})"), found);
        PromptSet::built_in()
    });
    prompts.with_scene_notes(&env.optional("SCENE_NOTES").unwrap_or_default())
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

#[cfg(test)]
mod tests;
