//! Who is asked, from options and the dataflow's variables.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use eyre::{OptionExt, Result, WrapErr, ensure, eyre};
use tiller_playtable_author::EmbeddedAuthor;
use tiller_vlm::budget::{Budget, BudgetLimits, Prices};
use tiller_vlm::exchange::{Background, Client, Exchange};
use tiller_vlm::provider::{
    Api, EmbeddedProvider, FilesProvider, Matching, Provider, Query, RemoteConfig, RemoteProvider,
    Secret, SecretError, Timeouts,
};

/// Time beyond a question's own limit.
const GRACE: Duration = Duration::from_secs(10);

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// The author within this program: no network, no key
    Embedded,
    /// OpenAI, and all that speak its format: Azure, vLLM, Ollama, llama.cpp, .. by --base-url
    Openai,
    /// Anthropic
    Anthropic,
    /// Google Gemini
    Gemini,
    /// Recorded answers
    Files,
}

/// Options of every command that asks.
#[derive(Debug, Args)]
pub(super) struct ProviderArgs {
    /// Who answers [default: TILLER_VLM_PROVIDER, or embedded]
    #[arg(long, value_enum)]
    provider: Option<Kind>,
    /// The model's name, such as gpt-5-mini [default: TILLER_VLM_MODEL]
    #[arg(long)]
    model: Option<String>,
    /// Base URL; without one, the service itself [default: TILLER_VLM_BASE_URL]
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// A file that holds the key [default: TILLER_VLM_KEY_FILE, or the provider's own variable]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Folder or file with recorded answers, for --provider files [default: TILLER_VLM_ANSWERS]
    #[arg(long, value_name = "PATH")]
    answers: Option<PathBuf>,
    /// Allow http to another machine: key and pictures travel readable
    #[arg(long)]
    allow_plain_http: bool,
    /// Use the proxies of HTTPS_PROXY and its kin
    #[arg(long)]
    environment_proxy: bool,
    /// Do not ask for the answer as a stream
    #[arg(long)]
    no_stream: bool,
    /// Longest wait for a connection, s
    #[arg(long, default_value_t = 5.0, value_name = "SECONDS")]
    connect_timeout: f64,
    /// Longest wait for the first byte of an answer, s
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS")]
    first_byte_timeout: f64,
    /// Longest time for a question, further tries included, s
    #[arg(long, default_value_t = 120.0, value_name = "SECONDS")]
    total_timeout: f64,
    /// Most tokens of an answer
    #[arg(long, default_value_t = 8192, value_name = "N")]
    max_output_tokens: u32,
    /// Sampling temperature, 0 to 2 [default: the server's]
    #[arg(long, value_name = "T")]
    temperature: Option<f64>,
    /// Price of a million tokens of questions, USD
    #[arg(long, default_value_t = 0.0, value_name = "USD")]
    input_price: f64,
    /// Price of a million tokens of answers, USD
    #[arg(long, default_value_t = 0.0, value_name = "USD")]
    output_price: f64,
}

/// A provider that is ready to be asked.
pub(super) struct Ready {
    pub(super) kind: Kind,
    pub(super) provider: Arc<dyn Provider>,
    /// Where the key is from; `None` is no key.
    pub(super) key_origin: Option<String>,
    prices: Prices,
}

impl ProviderArgs {
    /// Checks everything; nothing is contacted yet.
    pub(super) fn ready(&self) -> Result<Ready> {
        let kind = match (self.provider, variable("PROVIDER")) {
            (Some(kind), _) => kind,
            (None, None) => Kind::Embedded,
            (None, Some(word)) => Kind::from_str(&word, false)
                .map_err(|error| eyre!("TILLER_VLM_PROVIDER: {error}"))?,
        };
        let (provider, key_origin): (Arc<dyn Provider>, _) = match kind {
            Kind::Embedded => (
                Arc::new(EmbeddedProvider::new(Arc::new(EmbeddedAuthor))),
                None,
            ),
            Kind::Files => {
                let path = self
                    .answers
                    .clone()
                    .or(variable("ANSWERS").map(PathBuf::from));
                let path = path.ok_or_eyre("--provider files needs --answers PATH")?;
                (Arc::new(FilesProvider::open(&path, Matching::Exact)?), None)
            }
            Kind::Openai => self.remote(Api::OpenAi)?,
            Kind::Anthropic => self.remote(Api::Anthropic)?,
            Kind::Gemini => self.remote(Api::Gemini)?,
        };
        Ok(Ready {
            kind,
            provider,
            key_origin,
            prices: Prices {
                input_usd_per_million: self.input_price,
                output_usd_per_million: self.output_price,
            },
        })
    }

    fn remote(&self, api: Api) -> Result<(Arc<dyn Provider>, Option<String>)> {
        let model = self.model.clone().or(variable("MODEL"));
        let model = model.ok_or_else(|| {
            eyre!(
                "--provider {} needs --model NAME, or TILLER_VLM_MODEL",
                api.name()
            )
        })?;
        let base_url = self.base_url.clone().or(variable("BASE_URL"));
        let file = self
            .key_file
            .clone()
            .or(variable("KEY_FILE").map(PathBuf::from));
        let (key, origin) = match (&file, std::env::var(api.key_variable())) {
            (Some(path), _) => (Some(Secret::from_file(path)?), path.display().to_string()),
            (None, Ok(text)) if !text.trim().is_empty() => {
                let name = api.key_variable();
                (Some(Secret::new(&text, name)?), name.to_owned())
            }
            _ if base_url.is_some() => (None, String::new()),
            _ => {
                return Err(SecretError::Missing {
                    variable: api.key_variable().to_owned(),
                })
                .wrap_err("give --key-file FILE, or set the variable");
            }
        };
        let key_origin = key.as_ref().map(|_| origin);
        let provider = RemoteProvider::new(RemoteConfig {
            base_url,
            key,
            allow_plain_http: self.allow_plain_http,
            environment_proxy: self.environment_proxy,
            stream: !self.no_stream,
            timeouts: Timeouts {
                connect: seconds("--connect-timeout", self.connect_timeout)?,
                first_byte: seconds("--first-byte-timeout", self.first_byte_timeout)?,
                total: seconds("--total-timeout", self.total_timeout)?,
            },
            max_output_tokens: self.max_output_tokens,
            temperature: self.temperature,
            ..RemoteConfig::new(api, &model)
        })?;
        Ok((Arc::new(provider), key_origin))
    }
}

impl Ready {
    /// Who is asked, such as `openai/gpt-5-mini`.
    pub(super) fn name(&self) -> String {
        let identity = self.provider.identity();
        match self.provider.is_remote() {
            true => format!("{}/{}", identity.provider, identity.model),
            false => identity.provider.clone(),
        }
    }

    /// A client that counts what is spent.
    pub(super) fn client(&self) -> Result<Client> {
        let budget = Budget::new(BudgetLimits::default(), self.prices)?;
        Ok(Client::new(self.provider.clone()).with_budget(budget))
    }

    /// Asks and waits for the answer.
    pub(super) fn ask(&self, background: &mut Background, query: Query) -> Result<Exchange> {
        background.ask(query);
        let limit = self.provider.total_timeout() + GRACE;
        let answer = background.wait(limit);
        Ok(answer.ok_or_eyre("the thread that asks is silent")?.1)
    }
}

fn variable(name: &str) -> Option<String> {
    let value = std::env::var(format!("TILLER_VLM_{name}")).ok()?;
    Some(value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn seconds(option: &str, value: f64) -> Result<Duration> {
    ensure!(
        (0.001..=3600.0).contains(&value),
        "{option} is {value}, expected 0.001 to 3600 s"
    );
    Ok(Duration::from_secs_f64(value))
}
