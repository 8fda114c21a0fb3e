//! Scenes of boxes and planes, rendered by ray casting, whose geometry is known exactly.

use tiller_grounding::FrameView;

pub(crate) const SIDE: usize = 256;
const FOCAL: f64 = 309.0;
const EYE: [f64; 3] = [1.26, 0.0, 1.04];
const TARGET: [f64; 3] = [0.46, 0.05, 0.0];

/// An axis-aligned box with a label (0: background) and a colour.
#[derive(Clone)]
pub(crate) struct Solid {
    pub(crate) label: u8,
    pub(crate) centre: [f64; 3],
    pub(crate) half: [f64; 3],
    pub(crate) rgb: [u8; 3],
}

pub(crate) struct Picture {
    pub(crate) rgb: Vec<u8>,
    pub(crate) depth_mm: Vec<u16>,
    pub(crate) segmentation: Vec<u8>,
    pub(crate) labels: Vec<(u8, String)>,
}

pub(crate) fn labels() -> Vec<(u8, String)> {
    let names = [
        "drawer handle",
        "drawer",
        "red block",
        "blue block",
        "table",
        "robot",
    ];
    (1..)
        .zip(names)
        .map(|(id, name)| (id, name.to_owned()))
        .collect()
}

/// Table, drawer with handle and two blocks.
pub(crate) fn scene() -> Vec<Solid> {
    let solid = |label, centre, half, rgb| Solid {
        label,
        centre,
        half,
        rgb,
    };
    vec![
        solid(5, [0.58, 0.0, -0.02], [0.29, 0.52, 0.02], [204, 171, 128]),
        solid(
            1,
            [0.582, -0.25, 0.05],
            [0.008, 0.075, 0.018],
            [250, 199, 31],
        ),
        solid(2, [0.70, -0.25, 0.042], [0.05, 0.12, 0.036], [92, 140, 168]),
        solid(3, [0.46, 0.02, 0.02], [0.021, 0.021, 0.02], [219, 26, 26]),
        solid(4, [0.46, 0.16, 0.02], [0.021, 0.021, 0.02], [26, 56, 217]),
    ]
}

pub(crate) fn find(scene: &mut [Solid], label: u8) -> &mut Solid {
    scene.iter_mut().find(|solid| solid.label == label).unwrap()
}

fn unit(v: [f64; 3]) -> [f64; 3] {
    let norm = v.iter().map(|c| c * c).sum::<f64>().sqrt();
    v.map(|c| c / norm)
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

/// Right, down and forward of the camera.
fn axes() -> [[f64; 3]; 3] {
    let forward = unit(std::array::from_fn(|i| TARGET[i] - EYE[i]));
    let right = unit(cross(forward, [0.0, 0.0, 1.0]));
    [right, cross(forward, right), forward]
}

pub(crate) fn world_from_camera() -> [f64; 16] {
    let axes = axes();
    let mut pose = [0.0; 16];
    for row in 0..3 {
        for (column, axis) in axes.iter().enumerate() {
            pose[4 * row + column] = axis[row];
        }
        pose[4 * row + 3] = EYE[row];
    }
    pose[15] = 1.0;
    pose
}

/// Distance along the ray to a box and the axis of the face that it meets.
fn hit(solid: &Solid, direction: [f64; 3]) -> Option<(f64, usize)> {
    let (mut near, mut far, mut face) = (0.0f64, f64::INFINITY, 0);
    for axis in 0..3 {
        let a = (solid.centre[axis] - solid.half[axis] - EYE[axis]) / direction[axis];
        let b = (solid.centre[axis] + solid.half[axis] - EYE[axis]) / direction[axis];
        if a.min(b) > near {
            (near, face) = (a.min(b), axis);
        }
        far = far.min(a.max(b));
    }
    (near > 0.0 && near <= far).then_some((near, face))
}

/// Renders the solids; what a ray meets first is seen.
pub(crate) fn render(solids: &[Solid]) -> Picture {
    let [right, down, forward] = axes();
    let mut picture = Picture {
        rgb: Vec::with_capacity(3 * SIDE * SIDE),
        depth_mm: Vec::with_capacity(SIDE * SIDE),
        segmentation: Vec::with_capacity(SIDE * SIDE),
        labels: labels(),
    };
    for pixel in 0..SIDE * SIDE {
        let x = ((pixel % SIDE) as f64 + 0.5 - SIDE as f64 / 2.0) / FOCAL;
        let y = ((pixel / SIDE) as f64 + 0.5 - SIDE as f64 / 2.0) / FOCAL;
        // The third camera coordinate is 1, so the distance along the ray is the depth.
        let ray: [f64; 3] = std::array::from_fn(|i| x * right[i] + y * down[i] + forward[i]);
        let hits = solids
            .iter()
            .filter_map(|solid| hit(solid, ray).map(|found| (found, solid)));
        let first = hits.min_by(|a, b| a.0.0.total_cmp(&b.0.0));
        let (depth_m, label, rgb) = match first {
            Some(((depth, face), solid)) => {
                let shade = [70, 85, 100][face];
                (
                    depth,
                    solid.label,
                    solid.rgb.map(|c| (u32::from(c) * shade / 100) as u8),
                )
            }
            None => (0.0, 0, [180; 3]),
        };
        picture.rgb.extend(rgb);
        picture.depth_mm.push((depth_m * 1e3).round() as u16);
        picture.segmentation.push(label);
    }
    picture
}

impl Picture {
    pub(crate) fn frame(&self, stamp_ns: u64) -> FrameView<'_> {
        FrameView {
            width: SIDE,
            height: SIDE,
            rgb: &self.rgb,
            depth_mm: Some(&self.depth_mm),
            segmentation: Some(&self.segmentation),
            labels: &self.labels,
            focal: [FOCAL; 2],
            principal_point: [SIDE as f64 / 2.0; 2],
            world_from_camera: world_from_camera(),
            stamp_ns,
        }
    }
}

pub(crate) fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).powi(2))
        .sum::<f64>()
        .sqrt()
}
