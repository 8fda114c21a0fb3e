//! What a camera cannot see need not be painted.

use mujoco_rs::mujoco_c::{mjtObj, mjtRndFlag, mjvGLCamera};
use mujoco_rs::prelude::{MjModel, MjvScene};

/// A sphere is taken a little larger than the model says: single precision.
const MARGIN: f64 = 1.01;

/// The camera's pyramid, without an end.
struct Sight {
    from_m: [f64; 3],
    /// Forward, up, right.
    axes: [[f64; 3]; 3],
    near_m: f64,
    /// Slopes of the sides: right, left, top, bottom; the latter of each pair looking the other way.
    slopes: [f64; 4],
}

impl Sight {
    /// `None` for a view that is no pyramid. MuJoCo looks from between two eyes.
    fn of(eyes: &[mjvGLCamera; 2], aspect: f64) -> Option<Self> {
        let [left, right] = eyes;
        let mean = |of: fn(&mjvGLCamera) -> f32| f64::midpoint(of(left).into(), of(right).into());
        let near_m = mean(|eye| eye.frustum_near);
        let is_pyramid = left.orthographic == 0 && right.orthographic == 0 && near_m > 0.0;
        let same_way = left.forward == right.forward && left.up == right.up;
        if !is_pyramid || !same_way {
            return None;
        }
        let (top, bottom) = (mean(|eye| eye.frustum_top), mean(|eye| eye.frustum_bottom));
        let half_width = match mean(|eye| eye.frustum_width) {
            width if width > 0.0 => width,
            _ => (top - bottom) / 2.0 * aspect,
        };
        let center = mean(|eye| eye.frustum_center);
        let forward = left.forward.map(f64::from);
        let up = left.up.map(f64::from);
        Some(Self {
            from_m: std::array::from_fn(|axis| {
                f64::midpoint(left.pos[axis].into(), right.pos[axis].into())
            }),
            axes: [forward, up, cross(&forward, &up)],
            near_m,
            slopes: [center + half_width, half_width - center, top, -bottom]
                .map(|side| side / near_m),
        })
    }

    /// Whether some of a sphere may be in it.
    fn may_see(&self, center_m: [f32; 3], radius_m: f64) -> bool {
        let to: [f64; 3] =
            std::array::from_fn(|axis| f64::from(center_m[axis]) - self.from_m[axis]);
        let [ahead, up, right] = self.axes.map(|axis| dot(&axis, &to));
        let sides = [right, -right, up, -up].into_iter().zip(self.slopes);
        let is_beside = |(beyond, slope): (f64, f64)| {
            beyond - slope * ahead > radius_m * (1.0 + slope * slope).sqrt()
        };
        ahead + radius_m >= self.near_m && !sides.into_iter().any(is_beside)
    }
}

/// Takes from a list what its camera cannot see; the rest keeps its order. A picture is the same to the bit, for
/// nothing is taken where shadows or mirrors could show it.
pub(crate) fn leave_out_unseen(things: &mut MjvScene, model: &MjModel, size: [usize; 2]) {
    // SAFETY: geoms move within the part of the list that is in use, and the list becomes no longer.
    let scene = unsafe { things.ffi_mut() };
    let is_on = |flag: mjtRndFlag| scene.flags[flag as usize] != 0;
    if is_on(mjtRndFlag::mjRND_SHADOW) || is_on(mjtRndFlag::mjRND_REFLECTION) {
        return;
    }
    let Some(sight) = Sight::of(&scene.camera, size[0] as f64 / size[1] as f64) else {
        return;
    };
    let count = usize::try_from(scene.ngeom).unwrap_or(0);
    if count == 0 {
        return;
    }
    // SAFETY: the list has `ngeom` geoms, which nobody else holds.
    let geoms = unsafe { std::slice::from_raw_parts_mut(scene.geoms, count) };
    let radii_m = model.geom_rbound();
    let mut kept = 0;
    for index in 0..count {
        let geom = &geoms[index];
        let id = usize::try_from(geom.objid).unwrap_or(usize::MAX);
        let is_geom = geom.objtype == mjtObj::mjOBJ_GEOM as i32;
        // A plane has no end, and no radius.
        let radius_m = radii_m.get(id).filter(|radius| is_geom && **radius > 0.0);
        if radius_m.is_none_or(|radius| sight.may_see(geom.pos, radius * MARGIN)) {
            geoms.swap(kept, index);
            kept += 1;
        }
    }
    scene.ngeom = kept as i32;
}

fn dot(a: &[f64; 3], b: &[f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn cross(a: &[f64; 3], b: &[f64; 3]) -> [f64; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks along +y with +z up, less far up than down if `top` is less than 0.1.
    fn eye(x: f32, width: f32, top: f32) -> mjvGLCamera {
        mjvGLCamera {
            pos: [x, 0.0, 0.0],
            forward: [0.0, 1.0, 0.0],
            up: [0.0, 0.0, 1.0],
            frustum_center: 0.0,
            frustum_width: width,
            frustum_bottom: -0.1,
            frustum_top: top,
            frustum_near: 0.1,
            frustum_far: 10.0,
            orthographic: 0,
        }
    }

    /// At (1, 0, 0), 90 degrees wide.
    fn sight() -> Sight {
        let eyes = [0.97, 1.03].map(|x| eye(x, 0.1, 0.05));
        Sight::of(&eyes, 1.0).unwrap()
    }

    #[test]
    fn what_lies_beside_behind_above_and_below_is_not_seen() {
        let seen = |x: f32, y, z| sight().may_see([1.0 + x, y, z], 0.1);
        assert!(seen(0.0, 1.0, 0.0) && seen(0.0, 100.0, 0.0));
        assert!(!seen(0.0, -0.1, 0.0), "behind");
        assert!(seen(0.0, 0.05, 0.0), "around the eye");
        // A side of 45 degrees is 0.1 m away, measured square to it, where the centre is 0.141 m beyond.
        for side in [-1.0, 1.0] {
            assert!(seen(side * 1.14, 1.0, 0.0) && !seen(side * 1.143, 1.0, 0.0));
        }
        assert!(seen(0.0, 1.0, -1.14) && !seen(0.0, 1.0, -1.143));
        assert!(seen(0.0, 1.0, 0.61) && !seen(0.0, 1.0, 0.613));
    }

    #[test]
    fn the_width_follows_from_the_height_where_it_is_not_told() {
        let mut eyes = [0.0, 0.0].map(|x| eye(x, 0.0, 0.1));
        let slopes = Sight::of(&eyes, 2.0).unwrap().slopes;
        let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
        assert!(near(slopes[0], 2.0) && near(slopes[2], 1.0), "{slopes:?}");
        eyes[1].orthographic = 1;
        assert!(Sight::of(&eyes, 2.0).is_none());
    }
}
