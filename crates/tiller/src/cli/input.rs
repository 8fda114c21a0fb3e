//! Files that a person wrote, and what may be wrong with them.

use std::io::Read;
use std::path::Path;

use eyre::{Result, WrapErr, bail, ensure, eyre};
use serde_json::Value;
use tiller_core::file::{FileError, read_regular};
use tiller_core::shown;
use tiller_vlm::provider::program_of_folder;

/// Nothing larger is read as a program: a mistaken path should not fill the memory. The compiler
/// itself refuses far smaller texts.
const MOST_BYTES: u64 = 16 << 20;
/// The same for JSON, which may hold the inputs of many evaluations.
const MOST_JSON_BYTES: u64 = 256 << 20;

/// The text of a program; `-` is standard input. A folder may hold one as VLS and ReKep leave it.
pub(super) fn read_program(path: &Path) -> Result<String> {
    let name = name(path);
    if path.is_dir()
        && let Some(program) = program_of_folder(path)?
    {
        return Ok(program);
    }
    text(read(path, MOST_BYTES, "reward program")?, &name)
}

/// A JSON file; `-` is standard input.
pub(super) fn read_json(path: &Path) -> Result<Value> {
    let name = name(path);
    let text = text(read(path, MOST_JSON_BYTES, "input")?, &name)?;
    ensure!(!text.trim().is_empty(), "{name} is empty: expected JSON");
    serde_json::from_str(&text).map_err(|error| {
        let line = text.lines().nth(error.line().saturating_sub(1));
        let hint = if line.is_some_and(|line| line.contains("NaN") || line.contains("Infinity")) {
            ": JSON has no NaN or Infinity, and positions must be finite"
        } else {
            ""
        };
        eyre::eyre!("{name} is not JSON: {error}{hint}")
    })
}

fn name(path: &Path) -> String {
    if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        shown(&path.to_string_lossy())
    }
}

/// A regular file, or standard input, of at most so many bytes; `what` says what is expected in it.
fn read(path: &Path, limit_bytes: u64, what: &str) -> Result<Vec<u8>> {
    let name = name(path);
    let too_long = || {
        eyre!(
            "{name} holds more than {} MiB: that is no {what}",
            limit_bytes >> 20
        )
    };
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin()
            .take(limit_bytes + 1)
            .read_to_end(&mut bytes)
            .wrap_err_with(|| format!("cannot read {name}"))?;
        return match bytes.len() as u64 > limit_bytes {
            true => Err(too_long()),
            false => Ok(bytes),
        };
    }
    ensure!(
        !path.is_dir(),
        "cannot read {name}: it is a folder, expected a file"
    );
    read_regular(path, limit_bytes).map_err(|error| match error {
        FileError::TooLong { .. } => too_long(),
        FileError::NotRegular { .. } => eyre!("{error}; `-` is standard input"),
        error => error.into(),
    })
}

fn text(bytes: Vec<u8>, name: &str) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        eyre::eyre!("{name} is not UTF-8 text: the byte at offset {at} is wrong")
    })
}

/// The members of an object, all of which must be known.
pub(super) fn object<'v>(
    value: &'v Value,
    known: &[&str],
) -> Result<&'v serde_json::Map<String, Value>> {
    let Value::Object(members) = value else {
        bail!(
            "expected an object with {}, found {}",
            known.join(", "),
            kind(value)
        );
    };
    for key in members.keys() {
        ensure!(
            known.contains(&key.as_str()),
            "`{key}` is not known: expected {}",
            known.join(", ")
        );
    }
    Ok(members)
}

/// A list; `path` says where it stands.
pub(super) fn list<'v>(value: Option<&'v Value>, path: &str) -> Result<&'v [Value]> {
    match value {
        Some(Value::Array(items)) => Ok(items),
        Some(other) => bail!("`{path}`: expected a list, found {}", kind(other)),
        None => bail!("`{path}` is missing"),
    }
}

/// A list of points.
pub(super) fn points(value: Option<&Value>, path: &str) -> Result<Vec<[f64; 3]>> {
    list(value, path)?
        .iter()
        .enumerate()
        .map(|(index, value)| point(value, || format!("{path}[{index}]")))
        .collect()
}

/// Nested lists of finite numbers of a shape, row-major.
pub(super) fn tensor(value: &Value, path: &str, shape: &[usize]) -> Result<Vec<f64>> {
    let Some((&size, inner)) = shape.split_first() else {
        let number = value.as_f64().filter(|number| number.is_finite());
        let found = || eyre::eyre!("`{path}`: expected a finite number, found {}", kind(value));
        return Ok(vec![number.ok_or_else(found)?]);
    };
    let items = list(Some(value), path)?;
    ensure!(
        items.len() == size,
        "`{path}`: expected {size} items, found {}",
        items.len()
    );
    let mut numbers = Vec::new();
    for (index, item) in items.iter().enumerate() {
        numbers.extend(tensor(item, &format!("{path}[{index}]"), inner)?);
    }
    Ok(numbers)
}

/// Three finite numbers.
pub(super) fn point(value: &Value, path: impl Fn() -> String) -> Result<[f64; 3]> {
    let Value::Array(numbers) = value else {
        bail!("`{}`: expected [x, y, z], found {}", path(), kind(value));
    };
    ensure!(
        numbers.len() == 3,
        "`{}`: expected [x, y, z], found a list of {}",
        path(),
        numbers.len()
    );
    let mut point = [0.0; 3];
    for (axis, (target, number)) in point.iter_mut().zip(numbers).enumerate() {
        *target = finite(number, || format!("{}[{axis}]", path()))?;
    }
    Ok(point)
}

/// As many finite numbers as there are names for.
pub(super) fn numbers<const N: usize>(
    value: Option<&Value>,
    path: &str,
    names: &str,
) -> Result<[f64; N]> {
    let items = list(value, path)?;
    ensure!(
        items.len() == N,
        "`{path}`: expected {names}, found a list of {}",
        items.len()
    );
    let mut numbers = [0.0; N];
    for (index, (target, item)) in numbers.iter_mut().zip(items).enumerate() {
        *target = finite(item, || format!("{path}[{index}]"))?;
    }
    Ok(numbers)
}

/// A finite number.
pub(super) fn finite(value: &Value, path: impl Fn() -> String) -> Result<f64> {
    match value.as_f64().filter(|number| number.is_finite()) {
        Some(number) => Ok(number),
        None => bail!(
            "`{}`: expected a finite number, found {}",
            path(),
            kind(value)
        ),
    }
}

pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
