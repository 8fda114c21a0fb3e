//! Who is asked, from options and the dataflow's variables.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use eyre::{OptionExt, Result};
use tiller_core::{Environment, Problems, unknown_variables_here};
use tiller_playtable_author::EmbeddedAuthor;
use tiller_vlm::Author;
use tiller_vlm::exchange::{Background, Exchange};
use tiller_vlm::provider::{Adaptation, Api, Query};
use tiller_vlm::settings::{Kind, Ready, SETTINGS, Setting, read};

/// Time beyond a question's own limit.
const GRACE: Duration = Duration::from_secs(10);

/// Shorter words for some options.
const ALIASES: [(&str, &str); 6] = [
    ("CONNECT_TIMEOUT_S", "connect-timeout"),
    ("FIRST_BYTE_TIMEOUT_S", "first-byte-timeout"),
    ("TOTAL_TIMEOUT_S", "total-timeout"),
    ("INPUT_USD_PER_MILLION", "input-price"),
    ("OUTPUT_USD_PER_MILLION", "output-price"),
    ("PROMPT_DIR", "prompts"),
];

/// Options of every command that asks: the table of settings, one option each.
#[derive(Debug)]
pub(super) struct ProviderArgs {
    /// Name of the setting -> what was given.
    given: BTreeMap<&'static str, String>,
}

fn argument(setting: &Setting) -> Arg {
    let mut help = setting.meaning.replace('`', "");
    match setting.default {
        "" => help += &format!(" [else {}]", setting.variable()),
        default => {
            let default = default.replace('`', "");
            help += &format!(" [else {}, or {default}]", setting.variable());
        }
    }
    let argument = Arg::new(setting.name)
        .long(setting.option())
        .help(help)
        .help_heading("The model (each option goes before its variable)");
    let argument = match ALIASES.iter().find(|(name, _)| *name == setting.name) {
        Some((_, alias)) => argument.visible_alias(*alias),
        None => argument,
    };
    match setting.kind {
        Kind::Value(name) => argument.value_name(name).allow_hyphen_values(true),
        Kind::Switch => argument
            .value_name("on|off")
            .num_args(0..=1)
            .default_missing_value("on"),
    }
}

impl Args for ProviderArgs {
    fn augment_args(command: Command) -> Command {
        let no_stream = Arg::new("no-stream")
            .long("no-stream")
            .action(ArgAction::SetTrue)
            .conflicts_with("STREAM")
            .hide(true);
        command.args(SETTINGS.iter().map(argument)).arg(no_stream)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ProviderArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given: BTreeMap<_, _> = SETTINGS
            .iter()
            .filter_map(|setting| Some((setting.name, matches.get_one::<String>(setting.name)?)))
            .map(|(name, value)| (name, value.clone()))
            .collect();
        if matches.get_flag("no-stream") {
            given.insert("STREAM", "off".to_owned());
        }
        Ok(Self { given })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.given.extend(Self::from_arg_matches(matches)?.given);
        Ok(())
    }
}

impl ProviderArgs {
    /// Checks everything; nothing is contacted yet.
    pub(super) fn ready(&self) -> Result<Ready> {
        unknown_variables_here().finish(())?;
        let texts = self.texts();
        let pairs = texts
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()));
        let mut env = Environment::from_pairs(pairs).private();
        let embedded: Arc<dyn Author> = Arc::new(EmbeddedAuthor);
        let ready = read(&mut env, &embedded);
        Ok(env.finish(ready).map_err(by_option)?)
    }

    /// The variables with which a dataflow asks as this command did in the end. What may hold a
    /// secret stands for itself.
    pub(super) fn settings_to_use(&self, adaptations: &[Adaptation]) -> Vec<(String, String)> {
        let learnt: BTreeMap<&str, &str> = adaptations
            .iter()
            .filter_map(|change| change.setting.as_deref()?.split_once('='))
            .collect();
        let texts = self.texts();
        let of = |setting: &Setting| {
            let given = texts.get(setting.name).map(String::as_str);
            let value = learnt.get(setting.name).copied().or(given)?;
            let value = match setting.name {
                "HEADERS" | "EXTRA_BODY" => "(as it is)",
                _ => value,
            };
            Some((setting.variable(), value.to_owned()))
        };
        SETTINGS.iter().filter_map(of).collect()
    }

    /// What is set, by option or by variable, keys included.
    fn texts(&self) -> BTreeMap<String, String> {
        let of_variable = |name: &str| std::env::var(name).ok();
        let settings = SETTINGS.iter().filter_map(|setting| {
            let given = self.given.get(setting.name).cloned();
            let text = given.or_else(|| of_variable(&setting.variable()))?;
            Some((setting.name.to_owned(), text))
        });
        let keys = Api::ALL.iter().filter_map(|api| {
            let name = api.key_variable();
            Some((name.to_owned(), of_variable(name)?))
        });
        settings.chain(keys).collect()
    }
}

/// The mistakes by the names under which people gave them.
fn by_option(mut problems: Problems) -> Problems {
    for problem in &mut problems.found {
        if let Some(setting) = SETTINGS.iter().find(|setting| setting.name == problem.name) {
            problem.name = format!("--{} or {}", setting.option(), setting.variable());
        }
    }
    problems
}

/// Asks and waits for the answer.
pub(super) fn ask(ready: &Ready, background: &mut Background, query: Query) -> Result<Exchange> {
    background.ask(query);
    let limit = ready.provider.total_timeout() + GRACE;
    let answer = background.wait(limit);
    Ok(answer.ok_or_eyre("the thread that asks is silent")?.1)
}
