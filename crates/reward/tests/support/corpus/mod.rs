//! Hostile texts: each tries to make the compiler hang, panic, overflow its stack or take memory.

pub(crate) mod algebra;
pub(crate) mod answers;
pub(crate) mod exceptions;
pub(crate) mod nesting;
pub(crate) mod siege;
pub(crate) mod sources;
pub(crate) mod statements;
pub(crate) mod tensors;
pub(crate) mod text;
pub(crate) mod values;

/// A text with the name of what it tries.
pub(crate) type Attack = (&'static str, String);

/// Every hostile text.
pub(crate) fn hostile() -> Vec<Attack> {
    let mut all = nesting::attacks();
    all.extend(sources::attacks());
    all.extend(values::attacks());
    all.extend(tensors::attacks());
    all.extend(algebra::attacks());
    all.extend(answers::attacks());
    all.extend(statements::attacks());
    all.extend(siege::attacks());
    all.extend(text::attacks());
    all.extend(exceptions::attacks());
    all
}

/// A program of one stage with the given body.
pub(crate) fn stage(body: &str) -> String {
    format!("num_stages = 1\ndef stage1_guidance(k, a):\n{body}\n")
}

/// A stage that returns `expression`.
pub(crate) fn ret(expression: &str) -> String {
    stage(&format!("    return {expression}"))
}

/// A stage that carries out `statement` after `setup` as often as the limits allow.
pub(crate) fn repeated(setup: &str, statement: &str) -> String {
    stage(&format!(
        "    {setup}\n    for n in range(100000):\n        {statement}\n    return a.sum()"
    ))
}
