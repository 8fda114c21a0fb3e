//! Passes a camera's images on with a fault: for tests of the real dataflow.
//!
//! | variable | what it does |
//! |---|---|
//! | `SHIFT_NS` | adds this to `stamp_ns` |
//! | `ENCODING` | writes this word for the encoding |
//! | `AFTER` | from this image on (counted from 0) the fault named by `FAULT` happens |
//! | `FAULT` | one or more with commas between, each an image later than the one before; once: `cut` half an image, `garbage`, `small` (a quarter of it, and it says so), `ahead` (a stamp an hour later); for good: `zero`, `stop`, `freeze`, `jump` (stamps an hour later), `twice` (each image again), `swap` (each two the wrong way round) |

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray, UInt8Array, UInt16Array};
use dora_node_api::{DoraNode, Event, MetadataParameters, Parameter};
use eyre::{Result, eyre};

const HOUR_NS: i64 = 3_600_000_000_000;

fn main() -> Result<()> {
    let text = |name: &str| std::env::var(name).unwrap_or_default();
    let shift_ns: i64 = text("SHIFT_NS").parse().unwrap_or(0);
    let encoding = text("ENCODING");
    let after: u64 = text("AFTER").parse().unwrap_or(u64::MAX);
    let faults = text("FAULT");
    let faults: Vec<&str> = faults.split(',').collect();
    let (mut node, mut events) = DoraNode::init_from_env()?;
    let mut count = 0;
    let mut frozen: Option<ArrayRef> = None;
    let mut held: Option<(MetadataParameters, ArrayRef)> = None;
    while let Some(event) = events.recv() {
        let Event::Input { metadata, data, .. } = event else {
            if matches!(event, Event::Stop(_) | Event::InputClosed { .. }) {
                break;
            }
            continue;
        };
        let mut parameters = metadata.parameters.clone();
        let due = |name: &str| {
            let place = faults.iter().position(|fault| *fault == name)?;
            Some(after.saturating_add(place as u64))
        };
        let once = |name: &str| due(name) == Some(count);
        let on = |name: &str| due(name).is_some_and(|due| count >= due);
        if let Some(Parameter::Integer(stamp_ns)) = parameters.get_mut("stamp_ns") {
            *stamp_ns += shift_ns;
            if on("jump") || once("ahead") {
                *stamp_ns += HOUR_NS;
            }
        }
        if !encoding.is_empty() {
            let word = Parameter::String(encoding.clone());
            parameters.insert("encoding".to_owned(), word);
        }
        let array: ArrayRef = data.as_array().clone();
        if on("stop") {
            count += 1;
            continue;
        }
        let array = if once("cut") {
            array.slice(0, array.len() / 2)
        } else if once("small") {
            for side in ["width", "height"] {
                if let Some(Parameter::Integer(pixels)) = parameters.get_mut(side) {
                    *pixels /= 2;
                }
            }
            array.slice(0, array.len() / 4)
        } else if once("garbage") {
            Arc::new(StringArray::from(vec!["no image"]))
        } else if on("zero") {
            zeros(&array)?
        } else if on("freeze") {
            frozen.get_or_insert_with(|| Arc::clone(&array)).clone()
        } else {
            array
        };
        let out = || "out".to_owned().into();
        if on("twice") {
            node.send_output(out(), parameters.clone(), Arc::clone(&array))?;
        }
        let is_held = on("swap") && held.is_none();
        count += 1;
        if is_held {
            held = Some((parameters, array));
            continue;
        }
        node.send_output(out(), parameters, array)?;
        if let Some((parameters, array)) = held.take() {
            node.send_output(out(), parameters, array)?;
        }
    }
    Ok(())
}

fn zeros(like: &ArrayRef) -> Result<ArrayRef> {
    let any = like.as_any();
    if any.is::<UInt8Array>() {
        Ok(Arc::new(UInt8Array::from(vec![0; like.len()])))
    } else if any.is::<UInt16Array>() {
        Ok(Arc::new(UInt16Array::from(vec![0; like.len()])))
    } else {
        Err(eyre!("an image of type {}", like.data_type()))
    }
}
