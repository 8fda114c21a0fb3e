//! Passes a camera's images on with a fault: for tests of the real dataflow.
//!
//! | variable | what it does |
//! |---|---|
//! | `SHIFT_NS` | adds this to `stamp_ns` |
//! | `ENCODING` | writes this word for the encoding |
//! | `AFTER` | from this image on (counted from 0) the fault named by `FAULT` happens |
//! | `FAULT` | `cut` half an image once, `garbage` once, `zero` for good, `stop` for good, `freeze` for good |

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray, UInt8Array, UInt16Array};
use dora_node_api::{DoraNode, Event, Parameter};
use eyre::{Result, eyre};

fn main() -> Result<()> {
    let text = |name: &str| std::env::var(name).unwrap_or_default();
    let shift_ns: i64 = text("SHIFT_NS").parse().unwrap_or(0);
    let encoding = text("ENCODING");
    let after: u64 = text("AFTER").parse().unwrap_or(u64::MAX);
    let fault = text("FAULT");
    let (mut node, mut events) = DoraNode::init_from_env()?;
    let mut count = 0;
    let mut frozen: Option<ArrayRef> = None;
    while let Some(event) = events.recv() {
        let Event::Input { metadata, data, .. } = event else {
            if matches!(event, Event::Stop(_) | Event::InputClosed { .. }) {
                break;
            }
            continue;
        };
        let mut parameters = metadata.parameters.clone();
        if let Some(Parameter::Integer(stamp_ns)) = parameters.get_mut("stamp_ns") {
            *stamp_ns += shift_ns;
        }
        if !encoding.is_empty() {
            let word = Parameter::String(encoding.clone());
            parameters.insert("encoding".to_owned(), word);
        }
        let array: ArrayRef = data.as_array().clone();
        let is_due = count >= after;
        let array = match fault.as_str() {
            "cut" if count == after => array.slice(0, array.len() / 2),
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
        node.send_output("out".to_owned().into(), parameters, array)?;
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
