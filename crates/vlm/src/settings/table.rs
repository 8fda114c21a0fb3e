//! The table of settings.

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `on` or `off`.
    Switch,
    /// Anything else; the name stands for it in the help.
    Value(&'static str),
}

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The node's own variable.
    pub name: &'static str,
    /// What a value looks like.
    pub kind: Kind,
    /// What holds without a value, in words; empty for nothing.
    pub default: &'static str,
    /// What `dataflow.yml` sets where nobody says otherwise; empty for the default.
    pub in_dataflow: &'static str,
    /// What it means, with units and allowed values, in one line.
    pub meaning: &'static str,
}

impl Setting {
    /// The variable that fills it in through `dataflow.yml`.
    ///
    /// ```
    /// use tiller_vlm::settings::SETTINGS;
    /// assert_eq!(SETTINGS[0].variable(), "TILLER_VLM_PROVIDER");
    /// assert_eq!(SETTINGS[1].variable(), "TILLER_VLM_MODEL");
    /// ```
    #[must_use]
    pub fn variable(&self) -> String {
        format!("TILLER_VLM_{}", self.stem())
    }

    /// The option of `tiller vlm`, without its dashes.
    ///
    /// ```
    /// use tiller_vlm::settings::SETTINGS;
    /// assert_eq!(SETTINGS[2].option(), "base-url");
    /// ```
    #[must_use]
    pub fn option(&self) -> String {
        self.stem().to_ascii_lowercase().replace('_', "-")
    }

    /// Its line in the environment of `dataflow.yml`.
    #[must_use]
    pub fn dataflow_line(&self) -> String {
        format!(
            "{}: \"${{{}:-{}}}\"",
            self.name,
            self.variable(),
            self.in_dataflow
        )
    }

    fn stem(&self) -> &'static str {
        self.name.strip_prefix("VLM_").unwrap_or(self.name)
    }
}

/// The table of all settings for a README.
#[must_use]
pub fn markdown() -> String {
    let mut text =
        "| setting | default | in `dataflow.yml` | meaning |\n|---|---|---|---|\n".to_owned();
    for setting in SETTINGS {
        let Setting {
            name,
            default,
            in_dataflow,
            meaning,
            ..
        } = setting;
        text += &format!("| `{name}` | {default} | {in_dataflow} | {meaning} |\n");
    }
    text
}

const fn value(
    name: &'static str,
    value: &'static str,
    default: &'static str,
    meaning: &'static str,
) -> Setting {
    Setting {
        name,
        kind: Kind::Value(value),
        default,
        in_dataflow: "",
        meaning,
    }
}

const fn switch(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting {
        name,
        kind: Kind::Switch,
        default,
        in_dataflow: "",
        meaning,
    }
}

const fn set_to(setting: Setting, in_dataflow: &'static str) -> Setting {
    Setting {
        in_dataflow,
        ..setting
    }
}

/// Every setting, in the order in which people meet them.
pub const SETTINGS: &[Setting] = &[
    set_to(
        value(
            "VLM_PROVIDER",
            "WORD",
            "embedded",
            "who is asked: `embedded` (no network), `openai` (chat completions: also vLLM, Ollama, llama.cpp, LiteLLM, OpenRouter by `BASE_URL`), `openai-responses`, `azure`, `anthropic`, `gemini`, `files`",
        ),
        "embedded",
    ),
    value(
        "MODEL",
        "NAME",
        "needed for a network",
        "the model's name, such as `gpt-5-mini`; of `azure`, the deployment's",
    ),
    value(
        "BASE_URL",
        "URL",
        "the service itself",
        "such as `http://localhost:11434/v1`; one that ends in the route is taken too",
    ),
    set_to(
        value(
            "KEY_FILE",
            "FILE",
            "`vlm.key`",
            "a file with the key, which only you should read; `vlm.key` may be missing, any other must be there; else `OPENAI_API_KEY`, `AZURE_OPENAI_API_KEY`, `ANTHROPIC_API_KEY` or `GEMINI_API_KEY`",
        ),
        "vlm.key",
    ),
    value(
        "KEY_HEADER",
        "NAME",
        "the provider's",
        "the header that carries the key, such as `api-key`; `Authorization` carries it as `Bearer`",
    ),
    value(
        "API_VERSION",
        "VERSION",
        "the provider's",
        "of Azure, such as `2025-04-01-preview`, or of Anthropic",
    ),
    value(
        "HEADERS",
        "LIST",
        "",
        "further headers: `Name: value; Other: @FILE`, where `@` takes a secret value from a file",
    ),
    value(
        "EXTRA_BODY",
        "JSON",
        "",
        "a JSON object that is merged into every request, or `@FILE`; `null` takes a field out",
    ),
    value(
        "ANSWERS",
        "PATH",
        "needed for `files`",
        "a folder of recorded exchanges, one with a program of VLS's or ReKep's, or a file whose text is the answer",
    ),
    value(
        "MATCHING",
        "WORD",
        "in_order",
        "of `files`: `in_order` (the next recorded answer of its kind) or `exact` (to the very same words and picture)",
    ),
    value(
        "CONNECT_TIMEOUT_S",
        "SECONDS",
        "5",
        "to a connection, name look-up and TLS included, s",
    ),
    value(
        "FIRST_BYTE_TIMEOUT_S",
        "SECONDS",
        "60",
        "from the question to the first byte of the answer, s",
    ),
    value(
        "TOTAL_TIMEOUT_S",
        "SECONDS",
        "120",
        "for one question, further tries and waits included, s",
    ),
    value(
        "TRIES",
        "N",
        "3",
        "answers that may fail for one question, 1 to 10; waits that a server asks for do not count",
    ),
    switch(
        "STREAM",
        "on",
        "whether the answer is asked for as a stream",
    ),
    switch(
        "ALLOW_PLAIN_HTTP",
        "off",
        "http to another machine: key and pictures travel readable",
    ),
    switch(
        "ENVIRONMENT_PROXY",
        "off",
        "whether `HTTPS_PROXY` and its kin are used",
    ),
    value(
        "MAX_OUTPUT_TOKENS",
        "N",
        "8192",
        "most tokens of an answer, 1 to 131072; models that reason spend them on their thoughts too",
    ),
    value(
        "TOKEN_LIMIT_NAME",
        "WORD",
        "auto",
        "under which name that limit is sent: `auto`, `max_tokens`, `max_completion_tokens`, `max_output_tokens`",
    ),
    value("TEMPERATURE", "T", "the server's", "of sampling, 0 to 2"),
    value(
        "REASONING_EFFORT",
        "WORD",
        "the server's",
        "how long a model that reasons thinks, such as `minimal`, `low`, `medium`, `high`",
    ),
    value(
        "PICTURE_DETAIL",
        "WORD",
        "the server's",
        "how closely the picture is looked at: `auto`, `low`, `high`",
    ),
    value(
        "PICTURE_TOKENS",
        "N",
        "1600",
        "tokens that a picture is booked at",
    ),
    value("MAX_QUERIES", "N", "no limit", "requests an episode"),
    value(
        "MAX_TOKENS",
        "N",
        "no limit",
        "tokens of questions and answers an episode",
    ),
    value(
        "MAX_COST_USD",
        "USD",
        "no limit",
        "money an episode; wants prices",
    ),
    value(
        "INPUT_USD_PER_MILLION",
        "USD",
        "0",
        "price of a million tokens of questions",
    ),
    value(
        "OUTPUT_USD_PER_MILLION",
        "USD",
        "0",
        "price of a million tokens of answers",
    ),
    value(
        "CACHE_DIR",
        "FOLDER",
        "no cache",
        "answers by content; those that led to no program are forgotten",
    ),
    value(
        "PROMPT_DIR",
        "FOLDER",
        "built in",
        "prompts of one's own, file by file",
    ),
    set_to(
        value(
            "SCENE_NOTES",
            "TEXT",
            "",
            "what every model is told about the scene, such as how high the table is",
        ),
        "The table is at z = 0. The fingers open to 0.08 m.",
    ),
    value(
        "MAX_REPAIRS",
        "N",
        "2",
        "further answers that a model may give for a program, 0 to 10",
    ),
    set_to(
        value(
            "FALLBACK",
            "WORD",
            "hold",
            "when no model writes a sound program: `embedded`, `unsteered` or `hold`",
        ),
        "embedded",
    ),
    set_to(
        value(
            "PROGRAM_TIMEOUT_S",
            "SECONDS",
            "300",
            "for a program, repairs included, s; then the fallback. The robot stands still meanwhile; an episode of `dataflow.yml` lasts 60 s, and the slowest task takes 35 s",
        ),
        "25",
    ),
    switch("ADVICE", "on", "whether stage queries are put to the model"),
];
