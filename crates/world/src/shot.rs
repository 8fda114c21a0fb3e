//! Pictures that are taken on one thread and drawn on another: drawing one takes as long as many steps of the physics.

use std::any::Any;

use crate::camera::Frame;
use crate::error::WorldError;

/// What a camera saw at one moment, not drawn yet: see [`World::shoot`](crate::World::shoot).
pub trait Shot: Any + Send {
    /// Draws it into a frame, whose buffers are reused. Whichever thread does it, and whatever has become of the
    /// world, the picture is the same.
    ///
    /// # Errors
    /// [`WorldError::Unsupported`] for a size that cannot be drawn, [`WorldError::Failed`] when nothing can.
    fn draw(&mut self, studio: &mut Studio, frame: &mut Frame) -> Result<(), WorldError>;
}

/// Tools that a studio keeps: a scene takes one for each size of picture, and scenes come and go.
const MOST_TOOLS: usize = 4;

/// What shots are drawn with on one thread, made when first needed. It stays on that thread.
#[derive(Default)]
pub struct Studio {
    /// Those used last come last.
    tools: Vec<Box<dyn Tool>>,
}

/// Draws the shots of some world: a graphics context and its buffers, for instance.
pub trait Tool: Any {
    /// What it draws on.
    fn device(&self) -> &str;
}

impl Studio {
    /// The tool that fits; made and kept when there is none yet, in the place of the one that was used longest ago
    /// where there are four.
    ///
    /// # Errors
    /// What `make` says.
    #[expect(
        clippy::expect_used,
        reason = "only a tool of that type fits or is made"
    )]
    pub fn tool<T: Tool, E>(
        &mut self,
        fits: impl Fn(&T) -> bool,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<&mut T, E> {
        let is_it = |tool: &dyn Tool| (tool as &dyn Any).downcast_ref::<T>().is_some_and(&fits);
        match self.tools.iter().position(|tool| is_it(&**tool)) {
            Some(index) => self.tools[index..].rotate_left(1),
            None => {
                let tool = Box::new(make()?);
                if self.tools.len() == MOST_TOOLS {
                    self.tools.remove(0);
                }
                self.tools.push(tool);
            }
        }
        let tool: Option<&mut dyn Any> = self.tools.last_mut().map(|tool| &mut **tool as _);
        let tool = tool.expect("a tool that was used just now");
        Ok(tool.downcast_mut().expect("a tool of that type"))
    }

    /// What the tool that was used last draws on; none before the first picture.
    #[must_use]
    pub fn device(&self) -> Option<&str> {
        Some(self.tools.last()?.device())
    }
}

/// The shot, if it is of that kind: its memory can be used again.
#[must_use]
pub fn used<S: Shot>(shot: Option<Box<dyn Shot>>) -> Option<Box<S>> {
    let shot: Box<dyn Any> = shot?;
    shot.downcast().ok()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    struct Pen(u32);

    impl Tool for Pen {
        fn device(&self) -> &str {
            "paper"
        }
    }

    struct Brush;

    impl Tool for Brush {
        fn device(&self) -> &str {
            "canvas"
        }
    }

    struct Still(u8);

    impl Shot for Still {
        fn draw(&mut self, studio: &mut Studio, frame: &mut Frame) -> Result<(), WorldError> {
            let Ok(pen) = studio.tool(|_: &Pen| true, || Ok::<_, Infallible>(Pen(1)));
            frame.rgb.push(self.0 + pen.0 as u8);
            Ok(())
        }
    }

    #[test]
    fn a_tool_is_made_once_and_found_again() {
        let mut studio = Studio::default();
        assert_eq!(studio.device(), None);
        let Ok(_) = studio.tool(|_: &Brush| true, || Ok::<_, Infallible>(Brush));
        for (wanted, made) in [(1, true), (2, true), (1, false)] {
            let mut is_made = false;
            let Ok(pen) = studio.tool(
                |pen: &Pen| pen.0 == wanted,
                || {
                    is_made = true;
                    Ok::<_, Infallible>(Pen(wanted))
                },
            );
            assert_eq!((pen.0, is_made), (wanted, made));
        }
        assert_eq!(studio.device(), Some("paper"));
        let error = studio.tool(|pen: &Pen| pen.0 == 3, || Err("no ink"));
        assert_eq!(error.err(), Some("no ink"));
    }

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let mut studio = Studio::default();
        let mut made = Vec::new();
        for wanted in [1, 2, 3, 4, 1, 5, 1, 2] {
            let fits = |pen: &Pen| pen.0 == wanted;
            let Ok(pen) = studio.tool(fits, || {
                made.push(wanted);
                Ok::<_, Infallible>(Pen(wanted))
            });
            assert_eq!(pen.0, wanted);
        }
        assert_eq!(made, [1, 2, 3, 4, 5, 2]);
    }

    #[test]
    fn a_shot_is_drawn_on_another_thread() {
        let mut shot: Box<dyn Shot> = Box::new(Still(6));
        let drawing = std::thread::spawn(move || {
            let mut frame = Frame::default();
            shot.draw(&mut Studio::default(), &mut frame).unwrap();
            (shot, frame.rgb)
        });
        let (shot, rgb) = drawing.join().unwrap();
        assert_eq!(rgb, [7]);
        assert!(used::<Still>(Some(shot)).is_some());
    }
}
