//! Methods with a trailing underscore: they write into the storage that a tensor views.

use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::tensor::{Tensor, show_shape};

impl Lower<'_> {
    /// Writes what the method without the underscore gives, where PyTorch would.
    pub(super) fn write_back(
        &mut self,
        place: &Tensor,
        result: &Tensor,
        name: &str,
        span: Span,
    ) -> Lowered<()> {
        if result.shape != place.shape {
            return Err(self.fail(
                Draft::new(
                    Kind::Shape,
                    span,
                    format!("`{name}` cannot change the shape"),
                )
                .expected(format!("shape {}", show_shape(&place.shape)))
                .found(format!("shape {}", show_shape(&result.shape)))
                .help("use the form without the underscore and assign its result"),
            ));
        }
        if result.dtype > place.dtype {
            return Err(self.fail(
                Draft::new(
                    Kind::Type,
                    span,
                    format!("`{name}` cannot change the dtype"),
                )
                .expected(place.dtype.name())
                .found(result.dtype.name())
                .help("use `.float()` first, or the form without the underscore"),
            ));
        }
        if place.overlaps_itself() {
            return Err(self.fail(
                Draft::new(
                    Kind::Shape,
                    span,
                    format!("`{name}` would write several elements to one place"),
                )
                .found(format!(
                    "an expanded tensor of shape {}",
                    show_shape(&place.shape)
                ))
                .help("copy it first: `x.clone()`"),
            ));
        }
        self.charge(place.len())?;
        place.write(&result.nodes());
        self.has_written = true;
        Ok(())
    }
}
