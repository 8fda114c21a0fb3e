//! Follows points of each object by optical flow and depth, and the object by its rigid motion.
//!
//! Every point is first sought as it looked in the first picture, so that nothing drifts, then as it
//! looked in the last one. A point counts that is found there and back, and whose depth could be the
//! object's; an object is where most of its points agree. What is in the closed fingers moves with them
//! where it cannot be seen. What is neither seen nor hidden is lost, until something of its looks and
//! size shows somewhere.

mod grip;
mod lens;
mod object;
mod rigid;
mod search;
mod spots;

use grip::Grip;
use lens::{Lens, Spot};
use object::Object;
use search::{AGREEMENT, Portrait, Search};

use crate::detector::Mask;
use crate::error::GroundingError;
use crate::frame::Scene;
use crate::tracker::{Motion, Sight, Tracker};

/// Follows by optical flow.
#[derive(Default)]
pub(crate) struct FlowTracker {
    lens: Lens,
    objects: Vec<Object>,
    portraits: Vec<Portrait>,
    motions: Vec<Motion>,
    grip: Grip,
    search: Search,
    /// The object that is searched for next.
    next: usize,
    from: Vec<Spot>,
    to: Vec<Spot>,
    /// Objects that are still to be placed in this picture.
    open: Vec<usize>,
}

impl Tracker for FlowTracker {
    fn start(&mut self, scene: &Scene<'_>, masks: &[Mask]) {
        self.lens.start(&scene.frame);
        let grey = self.lens.first();
        self.objects.clear();
        let objects = masks.iter().map(|mask| Object::new(scene, grey, mask));
        self.objects.extend(objects);
        self.portraits.clear();
        for mask in masks {
            self.portraits.push(self.search.note(scene, &mask.pixels));
        }
        self.grip = Grip::default();
        self.next = 0;
        self.publish();
    }

    fn follow(&mut self, scene: &Scene<'_>, _: &mut Vec<Mask>) -> Result<(), GroundingError> {
        self.lens.look(&scene.frame);
        let held = self.grip.update(scene.hand.as_ref(), &self.objects);
        for (index, object) in self.objects.iter_mut().enumerate() {
            object.expect(
                held.filter(|(at, _)| *at == index)
                    .map(|(_, motion)| motion),
            );
        }
        self.open.clear();
        self.open.extend(0..self.objects.len());
        for pass in [Pass::First, Pass::Last] {
            self.place(scene, pass);
        }
        for index in &self.open {
            let carried = held.is_some_and(|(at, _)| at == *index);
            self.objects[*index].miss(scene, carried);
        }
        self.search(scene);
        self.publish();
        Ok(())
    }

    fn motions(&self) -> Option<&[Motion]> {
        Some(&self.motions)
    }
}

/// From which picture spots are followed.
#[derive(Clone, Copy)]
enum Pass {
    First,
    Last,
}

impl FlowTracker {
    /// Places the open objects whose points agree.
    fn place(&mut self, scene: &Scene<'_>, pass: Pass) {
        self.from.clear();
        self.to.clear();
        for index in &self.open {
            let object = &mut self.objects[*index];
            match pass {
                Pass::First => object.seek_first(scene, &mut self.from, &mut self.to),
                Pass::Last => object.seek_last(scene, &mut self.from, &mut self.to),
            }
        }
        let mut found = match pass {
            Pass::First => self.lens.since_first(&self.from, &self.to),
            Pass::Last => self.lens.since_last(&self.from, &self.to),
        };
        let (objects, grip) = (&mut self.objects, &mut self.grip);
        self.open.retain(|index| {
            let object = &mut objects[*index];
            let (own, others) = found.split_at(object.sought());
            found = others;
            let Some(fit) = object.take(scene, own) else {
                return true;
            };
            object.settle(scene, fit);
            grip.seen(scene.hand.as_ref(), *index, &fit.motion, &object.middle_m());
            false
        });
    }

    /// Looks for one of the objects that are out of sight, another in each picture.
    fn search(&mut self, scene: &Scene<'_>) {
        let count = self.objects.len();
        let away = |index: &usize| {
            let sight = self.objects[*index].motion.sight;
            matches!(sight, Sight::Hidden | Sight::Lost)
        };
        let turn = (0..count).map(|step| (self.next + step) % count);
        let Some(index) = { turn }.find(away) else {
            return;
        };
        self.next = index + 1;
        let expected = self.objects[index].motion.now_from_then;
        if let Some(motion) = self.search.find(scene, &self.portraits[index], &expected) {
            self.objects[index].found_at(scene, motion, AGREEMENT);
        }
    }

    fn publish(&mut self) {
        self.motions.clear();
        self.motions
            .extend(self.objects.iter().map(|object| object.motion));
    }
}
