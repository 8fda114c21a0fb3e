//! Damaged inputs, one table for all nodes: what a sender that is broken, outdated or foreign may
//! send.
//!
//! A node's test takes the table of an input's message or image, adds stamps that cannot be right,
//! and lets [`Trial::faults`] run the node once for each of them between good inputs.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float32Array, Float64Array, LargeListArray, NullArray,
    StringArray, StructArray, UInt8Array, UInt32Array, UInt64Array, new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Float32Type, Float64Type};
use dora_node_api::{MetadataParameters, Parameter};
use eyre::Result;
use tiller_messages::{Encoding, ImageHeader, Message, SCHEMA_VERSION, Status};

use super::{Script, Sent};
use crate::image::parameters;

/// An input that is not as it should be.
#[derive(Debug, Clone)]
pub struct Damage {
    /// What is wrong with it.
    pub what: String,
    /// The data.
    pub array: ArrayRef,
    /// What travels beside the data.
    pub parameters: MetadataParameters,
    /// Words of the one text in which the node must say so; none where it must say nothing.
    pub told: Option<Vec<String>>,
}

impl Damage {
    /// A damage that a node must tell in these words: field, expected and found.
    pub fn told(what: impl Into<String>, array: ArrayRef, words: &[&str]) -> Self {
        Self {
            what: what.into(),
            array,
            parameters: MetadataParameters::default(),
            told: Some(words.iter().map(|word| (*word).to_owned()).collect()),
        }
    }

    /// Something that happens in good order, which a node leaves out without a word.
    pub fn quiet(what: impl Into<String>, array: ArrayRef) -> Self {
        Self {
            told: None,
            ..Self::told(what, array, &[])
        }
    }

    /// With this metadata.
    pub fn with(mut self, parameters: MetadataParameters) -> Self {
        self.parameters = parameters;
        self
    }

    /// A sound message with another stamp, ns; its words are those of the refusal, none where the
    /// stamp decides nothing.
    pub fn stamped<M: Message>(good: &M, stamp_ns: u64, words: &[&str]) -> Self {
        let stamp: ArrayRef = Arc::new(UInt64Array::from(vec![stamp_ns]));
        let array = replaced(&good.to_arrow(), "stamp_ns", stamp);
        let what = format!("stamp {stamp_ns} ns");
        match words {
            [] => Self::quiet(what, array),
            words => Self::told(what, array, words),
        }
    }

    /// A sound image with another stamp, ns, as [`Damage::stamped`].
    pub fn image_stamped(
        header: &ImageHeader,
        pixels: &ArrayRef,
        stamp_ns: u64,
        words: &[&str],
    ) -> Self {
        let what = format!("stamp {stamp_ns} ns");
        let array = Arc::clone(pixels);
        let damage = match words {
            [] => Self::quiet(what, array),
            words => Self::told(what, array, words),
        };
        damage.with(parameters(&ImageHeader {
            stamp_ns,
            ..header.clone()
        }))
    }
}

/// Everything that can be wrong with the form of a message, and with its place in the stream:
/// `before` was accepted, and has a number above 1; `good` would be accepted next.
pub fn message_damages<M: Message>(before: &M, good: &M) -> Vec<Damage> {
    let row = good.to_arrow();
    let mut damages = vec![
        Damage::told(
            "another type",
            Arc::new(UInt8Array::from(vec![1, 2, 3])),
            &["expected an Arrow struct", "UInt8"],
        ),
        Damage::told(
            "no value",
            Arc::new(NullArray::new(1)),
            &["expected an Arrow struct", "Null"],
        ),
        Damage::told("no row", Arc::new(row.slice(0, 0)), &["1 row", "0"]),
        Damage::told("a null row", null_row(&row), &["1 row", "null"]),
        Damage::told(
            "an older schema",
            replaced(&row, "schema_version", version(SCHEMA_VERSION - 1)),
            &["expected schema version", "found"],
        ),
        Damage::told(
            "a newer schema",
            replaced(&row, "schema_version", version(SCHEMA_VERSION + 1)),
            &["expected schema version", "found"],
        ),
        Damage::told(
            "an unknown column",
            with_column(&row, "wheel_speed", Arc::new(Float64Array::from(vec![1.0]))),
            &["`wheel_speed` is unknown"],
        ),
        Damage::quiet("repeated", Arc::new(before.to_arrow())),
        reordered(before, &row),
    ];
    for (index, field) in row.fields().iter().enumerate() {
        let (name, column) = (field.name().as_str(), row.column(index));
        if index + 1 == row.num_columns() {
            damages.push(Damage::told(
                format!("no column {name}"),
                without_column(&row, index),
                &[name, "expected", "none"],
            ));
            damages.push(Damage::told(
                format!("another type of column {name}"),
                replaced(&row, name, foreign(field.data_type())),
                &[name, "expected", "found"],
            ));
        }
        if !field.is_nullable() && index % 3 == 0 {
            let null = new_null_array(field.data_type(), 1);
            let damaged = replaced(&row, name, null);
            damages.push(Damage::told(
                format!("null in {name}"),
                damaged,
                &[name, "expected", "null"],
            ));
        }
        if let Some(short) = one_item_fewer(column) {
            let damaged = replaced(&row, name, short);
            // Lists of any length have no wrong one.
            if M::from_arrow(damaged.as_ref()).is_err() {
                damages.push(Damage::told(
                    format!("an item of {name} is missing"),
                    damaged,
                    &["expected", "found"],
                ));
            }
        }
        if let Some(sick) = with_nan(column) {
            let damaged = replaced(&row, name, sick);
            damages.push(Damage::told(
                format!("NaN in {name}"),
                damaged,
                &["expected", "NaN"],
            ));
        }
    }
    damages
}

/// Everything that can be wrong with an image's metadata and the size of its data. `pixels` are those
/// of the header: 8 bits, or 16 of depth.
pub fn image_damages(header: &ImageHeader, pixels: &ArrayRef) -> Vec<Damage> {
    let good = parameters(header);
    let change = |what: &str, key: &str, value: Parameter, words: &[&str]| {
        let mut parameters = good.clone();
        parameters.insert(key.to_owned(), value);
        Damage::told(what, Arc::clone(pixels), words).with(parameters)
    };
    let data = |what: &str, array: ArrayRef, words: &[&str]| {
        Damage::told(what, array, words).with(good.clone())
    };
    let text = |text: &str| Parameter::String(text.to_owned());
    let half = pixels.len() / 2;
    let mut damages = vec![
        data(
            "another type",
            Arc::new(Float64Array::from(vec![0.5; pixels.len()])),
            &["expected UInt", "Float64"],
        ),
        data(
            "a message",
            Arc::new(Status::default().to_arrow()),
            &["expected UInt", "Struct"],
        ),
        data(
            "nulls",
            new_null_array(pixels.data_type(), pixels.len()),
            &["without nulls", "nulls"],
        ),
        data("cut", pixels.slice(0, half), &["expected", "bytes"]),
        data("empty", pixels.slice(0, 0), &["expected", "bytes", "0"]),
        Damage::told("no metadata", Arc::clone(pixels), &["encoding", "nothing"]),
        change(
            "an unknown encoding",
            "encoding",
            text("yuv422"),
            &["encoding", "rgb8", "yuv422"],
        ),
        change(
            "an encoding that is a number",
            "encoding",
            Parameter::Integer(3),
            &["encoding", "a text", "3"],
        ),
        change("no width", "width", Parameter::Integer(0), &["width", "0"]),
        change(
            "a vast width",
            "width",
            Parameter::Integer(1_000_000_000),
            &["width", "1000000000"],
        ),
        change(
            "a height in words",
            "height",
            text("tall"),
            &["height", "an integer", "tall"],
        ),
        change(
            "a stamp before all time",
            "stamp_ns",
            Parameter::Integer(-1),
            &["stamp_ns", "0 or more", "-1"],
        ),
        change(
            "NaN in focal",
            "focal",
            Parameter::ListFloat(vec![f64::NAN, 1.0]),
            &["focal", "finite", "NaN"],
        ),
        change(
            "half a pose",
            "world_from_camera",
            Parameter::ListFloat(vec![0.0; 7]),
            &["world_from_camera", "16 finite numbers"],
        ),
    ];
    if *pixels.data_type() == DataType::UInt8 {
        for (word, form) in [("jpeg", "JPEG"), ("png", "PNG")] {
            damages.push(change(
                &format!("no {form} file"),
                "encoding",
                text(word),
                &[word, "expected", "found"],
            ));
        }
    }
    if header.encoding == Encoding::Rgb8 {
        let width = i64::try_from(header.width * 3).unwrap_or(i64::MAX);
        let mut parameters = good.clone();
        parameters.insert("encoding".to_owned(), text("mono8"));
        parameters.insert("width".to_owned(), Parameter::Integer(width));
        let array = Arc::clone(pixels);
        let words = ["expected `rgb8`", "found `mono8`"];
        damages.push(Damage::told("labels", array, &words).with(parameters));
    }
    damages
}

/// One input of a node and how it is tried.
pub struct Trial<'a> {
    /// The input.
    pub input: &'static str,
    /// Good inputs before the damaged one.
    pub before: &'a dyn Fn() -> Script,
    /// Good inputs after it, to the node's end.
    pub after: &'a dyn Fn(Script) -> Script,
    /// Runs the node.
    pub drive: &'a dyn Fn(Script) -> (Result<()>, Sent),
    /// The texts in which it said that something was refused.
    pub texts: &'a dyn Fn(&Sent) -> Vec<String>,
    /// Whether good inputs were taken and nothing else happened than should; else what did.
    pub accepted: &'a dyn Fn(&Sent) -> Result<(), String>,
}

impl Trial<'_> {
    /// Runs the node once for every damage; gives what it did wrong.
    pub fn faults(&self, damages: &[Damage]) -> Vec<String> {
        damages
            .iter()
            .filter_map(|damage| {
                let what = format!("`{}`: {}", self.input, damage.what);
                self.try_one(damage)
                    .err()
                    .map(|why| format!("{what}: {why}"))
            })
            .collect()
    }

    fn try_one(&self, damage: &Damage) -> Result<(), String> {
        let script = (self.before)().damaged(self.input, damage);
        let (result, sent) = (self.drive)((self.after)(script));
        result.map_err(|error| format!("the node ended: {error:#}"))?;
        let texts = (self.texts)(&sent);
        match &damage.told {
            None if !texts.is_empty() => return Err(format!("expected no word, found {texts:?}")),
            Some(words) => {
                let says = |text: &String| words.iter().all(|word| text.contains(word));
                if !texts.iter().any(says) {
                    return Err(format!("expected a text with {words:?}, found {texts:?}"));
                }
            }
            None => {}
        }
        (self.accepted)(&sent)
    }
}

fn version(number: u32) -> ArrayRef {
    Arc::new(UInt32Array::from(vec![number]))
}

fn reordered<M: Message>(before: &M, row: &StructArray) -> Damage {
    let seq = before.seq() - 1;
    let array = replaced(row, "seq", Arc::new(UInt64Array::from(vec![seq])));
    let session: ArrayRef = Arc::new(UInt64Array::from(vec![before.session()]));
    let array = replaced(array.as_struct(), "session", session);
    let expected = format!("after number {}", before.seq());
    let found = format!("found number {seq}");
    Damage::told("out of order", array, &["expected", &expected, &found])
}

/// The row with another column in the place of one, of any type.
fn replaced(row: &StructArray, name: &str, with: ArrayRef) -> ArrayRef {
    let (mut fields, mut arrays) = parts(row);
    for (field, array) in fields.iter_mut().zip(&mut arrays) {
        if field.name() == name {
            *field = Field::new(name, with.data_type().clone(), true);
            *array = Arc::clone(&with);
        }
    }
    Arc::new(StructArray::new(fields.into(), arrays, None))
}

fn with_column(row: &StructArray, name: &str, array: ArrayRef) -> ArrayRef {
    let (mut fields, mut arrays) = parts(row);
    fields.push(Field::new(name, array.data_type().clone(), true));
    arrays.push(array);
    Arc::new(StructArray::new(fields.into(), arrays, None))
}

fn without_column(row: &StructArray, index: usize) -> ArrayRef {
    let (mut fields, mut arrays) = parts(row);
    fields.remove(index);
    arrays.remove(index);
    Arc::new(StructArray::new(fields.into(), arrays, None))
}

fn null_row(row: &StructArray) -> ArrayRef {
    let (fields, arrays) = parts(row);
    let nulls = Some(vec![false].into());
    Arc::new(StructArray::new(fields.into(), arrays, nulls))
}

fn parts(row: &StructArray) -> (Vec<Field>, Vec<ArrayRef>) {
    let fields = row.fields().iter().map(|field| field.as_ref().clone());
    (fields.collect(), row.columns().to_vec())
}

/// A value of a type that stands for no other.
fn foreign(data_type: &DataType) -> ArrayRef {
    match data_type {
        DataType::Boolean => Arc::new(StringArray::from(vec!["yes"])),
        _ => Arc::new(BooleanArray::from(vec![true])),
    }
}

fn one_list(items: ArrayRef) -> ArrayRef {
    let field = Arc::new(Field::new("item", items.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths([items.len()]);
    Arc::new(LargeListArray::new(field, offsets, items, None))
}

fn one_item_fewer(column: &ArrayRef) -> Option<ArrayRef> {
    let items = column.as_list_opt::<i64>()?.value(0);
    (!items.is_empty()).then(|| one_list(items.slice(0, items.len() - 1)))
}

/// The column with its first number, if it has any, replaced by NaN.
fn with_nan(column: &ArrayRef) -> Option<ArrayRef> {
    match column.data_type() {
        DataType::Float64 => Some(Arc::new(Float64Array::from(vec![f64::NAN]))),
        DataType::LargeList(item) => {
            let items = column.as_list::<i64>().value(0);
            let first = |index: usize| index == 0;
            let sick: ArrayRef = match item.data_type() {
                _ if items.is_empty() => return None,
                DataType::Float64 => {
                    let values = items.as_primitive::<Float64Type>().values().iter();
                    let sick = values
                        .enumerate()
                        .map(|(i, v)| if first(i) { f64::NAN } else { *v });
                    Arc::new(Float64Array::from_iter_values(sick))
                }
                DataType::Float32 => {
                    let values = items.as_primitive::<Float32Type>().values().iter();
                    let sick = values
                        .enumerate()
                        .map(|(i, v)| if first(i) { f32::NAN } else { *v });
                    Arc::new(Float32Array::from_iter_values(sick))
                }
                _ => return None,
            };
            Some(one_list(sick))
        }
        _ => None,
    }
}
