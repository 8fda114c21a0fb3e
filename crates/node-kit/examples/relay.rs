//! Passes a camera's images on with a fault: for tests of the real dataflow.
//!
//! | variable | what it does |
//! |---|---|
//! | `SHIFT_NS` | adds this to `stamp_ns` |
//! | `ENCODING` | writes this word for the encoding |
//! | `AFTER` | from this image on (counted from 0) the fault named by `FAULT` happens |
//! | `FAULT` | once: `cut` half an image, `garbage`, `small` (a quarter of it, and it says so), `ahead` (a stamp an hour later); for good: `zero`, `stop`, `freeze`, `jump` (stamps an hour later), `twice` (each image again), `swap` (each two the wrong way round) |

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
    let fault = text("FAULT");
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
        let is_due = count >= after;
        if let Some(Parameter::Integer(stamp_ns)) = parameters.get_mut("stamp_ns") {
            *stamp_ns += shift_ns;
            if (fault == "jump" && is_due) || (fault == "ahead" && count == after) {
                *stamp_ns += HOUR_NS;
            }
        }
        if !encoding.is_empty() {
            let word = Parameter::String(encoding.clone());
            parameters.insert("encoding".to_owned(), word);
        }
        let array: ArrayRef = data.as_array().clone();
        let array = match fault.as_str() {
            "cut" if count == after => array.slice(0, array.len() / 2),
            "small" if count == after => {
                for side in ["width", "height"] {
                    if let Some(Parameter::Integer(pixels)) = parameters.get_mut(side) {
                        *pixels /= 2;
                    }
                }
                array.slice(0, array.len() / 4)
            }
            "garbage" if count == after => Arc::new(StringArray::from(vec!["no image"])),
            "zero" if is_due => zeros(&array)?,
            "stop" if is_due => {
                count += 1;
                continue;
            }
            "freeze" if is_due => frozen.get_or_insert_with(|| Arc::clone(&array)).clone(),
            _ => array,
        };
        count += 1;
        let out = || "out".to_owned().into();
        match fault.as_str() {
            "twice" if is_due => {
                node.send_output(out(), parameters.clone(), Arc::clone(&array))?;
            }
            "swap" if is_due && held.is_none() => {
                held = Some((parameters, array));
                continue;
            }
            _ => {}
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
