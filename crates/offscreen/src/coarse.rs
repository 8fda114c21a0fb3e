//! Meshes with no more faces than a picture can show: without a graphics card a picture takes as long as its faces.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use meshopt::{SimplifyOptions, SimplifyVertex, simplify_with_attributes_and_locks_decoder};
use mujoco_rs::prelude::MjModel;

/// Meshes of fewer faces stay as they are.
const FEWEST_FACES: usize = 200;
/// What is kept beside positions: a normal and a texture's coordinate.
const ATTRIBUTES: usize = 5;
/// What a unit of each counts, as a share of the mesh's extent: a bend of 0.1 rad as much as a displacement by a
/// thousandth, and a texture that slips by a hundredth too.
const WEIGHTS: [f32; ATTRIBUTES] = [0.01, 0.01, 0.01, 0.1, 0.1];

/// Indices of a corner's position, normal and texture's coordinate within its mesh.
type Corner = [i32; 3];

/// Takes faces from a model's meshes as long as no surface moves by more than about `error_m`, metres. For painting
/// alone: physics takes its shapes from the same meshes, so give it the model as it was.
pub fn coarsen(model: &mut MjModel, error_m: f64) {
    // Kept from here on: scenes of the model as it was are painted with this one.
    model.layout();
    for mesh in 0..model.mesh_facenum().len() {
        let all = faces(model, mesh);
        if all.len() < FEWEST_FACES {
            continue;
        }
        let left = simplified(model, mesh, error_m as f32);
        if left.len() >= all.len() {
            continue;
        }
        for (index, [a, b, c]) in all.clone().zip(&left) {
            // SAFETY: every corner is one of the mesh's own.
            unsafe {
                model.mesh_face_mut()[index] = [a[0], b[0], c[0]];
                model.mesh_facenormal_mut()[index] = [a[1], b[1], c[1]];
                model.mesh_facetexcoord_mut()[index] = [a[2], b[2], c[2]];
            }
        }
        // SAFETY: the mesh keeps the first of its faces.
        unsafe { model.mesh_facenum_mut()[mesh] = left.len() as i32 };
    }
}

fn faces(model: &MjModel, mesh: usize) -> Range<usize> {
    let address = |of: &[i32]| usize::try_from(of[mesh]).unwrap_or(0);
    let first = address(model.mesh_faceadr());
    first..first + address(model.mesh_facenum())
}

/// The faces that are left.
fn simplified(model: &MjModel, mesh: usize, error_m: f32) -> Vec<[Corner; 3]> {
    let mut numbers = HashMap::new();
    let (mut corners, mut indices): (Vec<Corner>, Vec<u32>) = Default::default();
    let (mut positions, mut attributes): (Vec<[f32; 3]>, Vec<f32>) = Default::default();
    let sides = faces(model, mesh).flat_map(|face| {
        let [a, b, c] = [
            model.mesh_face()[face],
            model.mesh_facenormal()[face],
            model.mesh_facetexcoord()[face],
        ];
        [0, 1, 2].map(|side| [a[side], b[side], c[side]])
    });
    for corner in sides {
        let (position, look) = values(model, mesh, corner);
        // Some files give every corner a normal of its own: what looks alike is one.
        let key = (position.map(f32::to_bits), look.map(f32::to_bits));
        let number = *numbers.entry(key).or_insert_with(|| {
            corners.push(corner);
            positions.push(position);
            attributes.extend(look);
            corners.len() - 1
        });
        indices.push(number as u32);
    }
    let left = simplify_with_attributes_and_locks_decoder(
        &indices,
        &positions,
        &attributes,
        &WEIGHTS,
        ATTRIBUTES * size_of::<f32>(),
        &protected(&positions, &attributes),
        0,
        error_m,
        SimplifyOptions::ErrorAbsolute | SimplifyOptions::Permissive,
        None,
    );
    let corner = |number: u32| corners[number as usize];
    let (faces, _) = left.as_chunks::<3>();
    faces.iter().map(|face| face.map(corner)).collect()
}

/// Where a texture is cut open the cut stays where it is, or it would show; a bend of the surface may go.
fn protected(positions: &[[f32; 3]], attributes: &[f32]) -> Vec<SimplifyVertex> {
    let (attributes, _) = attributes.as_chunks::<ATTRIBUTES>();
    let seen = || {
        let places = positions.iter().map(|position| position.map(f32::to_bits));
        places.zip(
            attributes
                .iter()
                .map(|[.., u, v]| [u.to_bits(), v.to_bits()]),
        )
    };
    let (mut textures, mut cuts) = (HashMap::new(), HashSet::new());
    for (place, texture) in seen() {
        if *textures.entry(place).or_insert(texture) != texture {
            cuts.insert(place);
        }
    }
    let lock = |place: [u32; 3]| match cuts.contains(&place) {
        true => SimplifyVertex::Protect,
        false => SimplifyVertex::None,
    };
    seen().map(|(place, _)| lock(place)).collect()
}

/// Position, m; normal and texture's coordinate.
fn values(model: &MjModel, mesh: usize, corner: Corner) -> ([f32; 3], [f32; ATTRIBUTES]) {
    let at = |address: &[i32], index: i32| usize::try_from(address[mesh] + index).ok();
    let texture = Some(corner[2]).filter(|_| model.mesh_texcoordadr()[mesh] >= 0);
    let texture = texture.and_then(|index| at(model.mesh_texcoordadr(), index));
    let position = at(model.mesh_vertadr(), corner[0]).map(|index| model.mesh_vert()[index]);
    let normal = at(model.mesh_normaladr(), corner[1]).map(|index| model.mesh_normal()[index]);
    let [x, y, z] = normal.unwrap_or_default();
    let [u, v] = texture
        .map(|index| model.mesh_texcoord()[index])
        .unwrap_or_default();
    (position.unwrap_or_default(), [x, y, z, u, v])
}
#[cfg(test)]
mod tests {
    use super::*;

    /// A ball of 5 cm, and one in a hundred faces.
    fn balls() -> MjModel {
        MjModel::from_xml_string(
            "<mujoco><asset><mesh name='fine' builtin='sphere' params='4' scale='.05 .05 .05'/>\
             <mesh name='rough' builtin='sphere' params='1' scale='.05 .05 .05'/></asset>\
             <worldbody><geom type='mesh' mesh='fine'/><geom type='mesh' mesh='rough'/></worldbody></mujoco>",
        )
        .unwrap()
    }

    #[test]
    fn a_textures_cut_is_kept_and_a_bend_is_not() {
        let [a, b, c] = [[0.0; 3], [0.1, 0.0, 0.0], [0.0, 0.1, 0.0]];
        let up = |u: f32| [0.0, 0.0, 1.0, u, 0.5];
        let aside = [1.0, 0.0, 0.0, 0.3, 0.5];
        let positions = [a, b, c, a, b, c];
        let attributes = [up(0.0), up(0.3), up(0.4), up(1.0), aside, up(0.4)].concat();
        let (cut, open) = (SimplifyVertex::Protect, SimplifyVertex::None);
        assert_eq!(
            protected(&positions, &attributes),
            [cut, open, open, cut, open, open]
        );
    }

    #[test]
    fn a_ball_has_fewer_faces_and_is_as_round_as_was_asked() {
        let (fine, mut coarse) = (balls(), balls());
        let error_m = 5e-4;
        coarsen(&mut coarse, error_m);
        let (before, after) = (fine.mesh_facenum(), coarse.mesh_facenum());
        assert!(after[0] * 4 < before[0], "{before:?}, {after:?}");
        assert_eq!(after[1], before[1], "few faces stay");
        let lowest_m = faces(&coarse, 0).map(|face| {
            let corners =
                coarse.mesh_face()[face].map(|vertex| coarse.mesh_vert()[vertex as usize]);
            let centre = [0, 1, 2].map(|axis| {
                let along = corners.map(|corner| f64::from(corner[axis]));
                along.iter().sum::<f64>() / 3.0
            });
            centre.iter().map(|along| along * along).sum::<f64>().sqrt()
        });
        let lowest_m = lowest_m.fold(f64::MAX, f64::min);
        assert!(lowest_m > 0.05 - 3.0 * error_m, "{lowest_m}");
        assert!(coarse.is_compatible_with_model(&fine));
        assert!(coarse.mesh_vert() == fine.mesh_vert(), "no vertex moves");
    }
}
