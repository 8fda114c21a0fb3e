//! The worlds that the command line knows, a line each, with the author that steers in them; the first one
//! is the default.

use tiller_bench::Subjects;

pub(crate) fn worlds() -> Subjects {
    Subjects::new().with(
        tiller_playtable::kind(),
        tiller_playtable_author::EmbeddedAuthor,
    )
}
