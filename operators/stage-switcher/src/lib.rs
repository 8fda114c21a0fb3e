//! The stage machine as a dora operator.
//!
//! `ports` turns messages into calls of the machine and its decisions into messages; this file only
//! holds what dora wants to see of it.

mod ports;
mod settings;

use dora_operator_api::{DoraOperator, DoraOutputSender, DoraStatus, Event};

use ports::Ports;

/// What the runtime looks up in the shared library.
#[allow(missing_docs, unreachable_pub)] // the macro writes these functions
mod exports {
    use super::StageSwitcher;
    dora_operator_api::register_operator!(StageSwitcher);
}

/// The operator that dora makes and drives.
pub struct StageSwitcher {
    /// dora asks for a default, which cannot fail: what was wrong is said at the first event.
    ports: Result<Ports, String>,
}

impl Default for StageSwitcher {
    fn default() -> Self {
        // The runtime's own is another one: a shared library brings its own standard library.
        tiller_core::show_panics();
        Self {
            ports: settings::read(|name| std::env::var(name).ok()).and_then(Ports::new),
        }
    }
}

impl DoraOperator for StageSwitcher {
    fn on_event(
        &mut self,
        event: &Event,
        output: &mut DoraOutputSender,
    ) -> Result<DoraStatus, String> {
        let ports = self.ports.as_mut().map_err(|error| error.clone())?;
        match event {
            Event::Input { id, data, .. } => {
                for (port, message) in ports.take(id, data.as_array().as_ref()) {
                    output.send(port, message)?;
                }
            }
            Event::InputParseError { id, error } => {
                for (port, message) in ports.refuse(id, error) {
                    output.send(port, message)?;
                }
            }
            Event::InputClosed { id } if ports::ESSENTIAL.contains(id) => {
                return stop(ports, output);
            }
            Event::Stop => return stop(ports, output),
            _ => {}
        }
        Ok(DoraStatus::Continue)
    }
}

/// Sends what is left to be sent.
fn stop(ports: &mut Ports, output: &mut DoraOutputSender) -> Result<DoraStatus, String> {
    if let Some((port, message)) = ports.rest() {
        output.send(port, message)?;
    }
    Ok(DoraStatus::Stop)
}
