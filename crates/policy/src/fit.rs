//! Pictures of another size than the policy's.

use std::borrow::Cow;

use crate::{Bundle, ImageView, ObservationKind};
use image::RgbImage;
use image::imageops::{self, FilterType};

/// What becomes of a picture whose size is not the policy's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It is refused.
    Exact,
    /// What is too much on two sides is cut off, evenly; the rest is scaled.
    Crop,
    /// It is scaled as a whole, and black on two sides.
    Pad,
    /// It is scaled, each side by itself.
    Stretch,
}

impl Fit {
    /// Its names in settings.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("exact", Self::Exact),
        ("crop", Self::Crop),
        ("pad", Self::Pad),
        ("stretch", Self::Stretch),
    ];
}

impl Fit {
    /// Its name in settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        let known = Self::NAMES.into_iter().find(|(_, fit)| *fit == self);
        known.map_or("", |(name, _)| name)
    }

    /// The one of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let known = Self::NAMES.into_iter().find(|(known, _)| *known == name);
        known.map(|(_, fit)| fit)
    }
}

/// Pixels of a camera's picture, as they came or brought to another size: width, height, and rgb8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitted<'a> {
    name: &'a str,
    size: [usize; 2],
    rgb: Cow<'a, [u8]>,
}

impl Fitted<'_> {
    /// As policies take it.
    #[must_use]
    pub fn view(&self) -> ImageView<'_> {
        ImageView {
            name: self.name,
            width: self.size[0],
            height: self.size[1],
            rgb: &self.rgb,
        }
    }
}

/// Brings the cameras' pictures to the sizes that a policy takes.
#[derive(Debug, Clone)]
pub struct Fitter {
    fit: Fit,
    /// Width and height of each camera of the policy's, px, in its order.
    sizes: Vec<[usize; 2]>,
}

impl Fitter {
    /// For the cameras of a bundle, in its order.
    #[must_use]
    pub fn new(fit: Fit, bundle: &Bundle) -> Self {
        let inputs = bundle.manifest().observations.iter();
        let cameras = inputs.filter(|input| input.kind == ObservationKind::Image);
        Self {
            fit,
            // Channels, height, width.
            sizes: cameras
                .map(|input| [input.shape[2], input.shape[1]])
                .collect(),
        }
    }

    /// Each camera's picture, as it is where it fits.
    #[must_use]
    pub fn fit<'a>(&self, views: &[ImageView<'a>]) -> Vec<Fitted<'a>> {
        let fit = |(view, to): (&ImageView<'a>, &[usize; 2])| {
            let found = [view.width, view.height];
            let (size, rgb) = match fitted(view.rgb, found, *to, self.fit) {
                Some(pixels) => (*to, Cow::Owned(pixels)),
                None => (found, Cow::Borrowed(view.rgb)),
            };
            Fitted {
                name: view.name,
                size,
                rgb,
            }
        };
        views.iter().zip(&self.sizes).map(fit).collect()
    }

    /// What helps where pictures do not fit.
    #[must_use]
    pub fn advice(&self, views: &[ImageView<'_>]) -> &'static str {
        let fits = |(view, size): (&ImageView<'_>, &[usize; 2])| [view.width, view.height] == *size;
        if views.iter().zip(&self.sizes).all(fits) {
            ""
        } else {
            "; PICTURE_FIT says how pictures of another size are brought to the policy's"
        }
    }
}

/// The picture in its new size; none where it stays as it is.
fn fitted(rgb: &[u8], from: [usize; 2], to: [usize; 2], fit: Fit) -> Option<Vec<u8>> {
    if from == to || fit == Fit::Exact {
        return None;
    }
    let [width, height, to_width, to_height] =
        [from[0], from[1], to[0], to[1]].map(|side| u32::try_from(side).unwrap_or(u32::MAX));
    let picture = RgbImage::from_raw(width, height, rgb.to_vec())?;
    let scale = |picture: &RgbImage, w, h| imageops::resize(picture, w, h, FilterType::Triangle);
    let ratio = |whole: u32, by: u32, of: u32| {
        let side = (u64::from(whole) * u64::from(by) + u64::from(of) / 2) / u64::from(of);
        u32::try_from(side).unwrap_or(u32::MAX).max(1)
    };
    // The shorter of what the width and the height allow.
    let is_wide = u64::from(width) * u64::from(to_height) > u64::from(height) * u64::from(to_width);
    let fitted = match fit {
        Fit::Exact => return None,
        Fit::Stretch => imageops::resize(&picture, to_width, to_height, FilterType::Triangle),
        Fit::Crop => {
            let (w, h) = if is_wide {
                (ratio(height, to_width, to_height).min(width), height)
            } else {
                (width, ratio(width, to_height, to_width).min(height))
            };
            let cut = imageops::crop_imm(&picture, (width - w) / 2, (height - h) / 2, w, h);
            scale(&cut.to_image(), to_width, to_height)
        }
        Fit::Pad => {
            let (w, h) = if is_wide {
                (to_width, ratio(height, to_width, width).min(to_height))
            } else {
                (ratio(width, to_height, height).min(to_width), to_height)
            };
            let small = imageops::resize(&picture, w, h, FilterType::Triangle);
            let mut padded = RgbImage::new(to_width, to_height);
            let at = [(to_width - w) / 2, (to_height - h) / 2].map(i64::from);
            imageops::replace(&mut padded, &small, at[0], at[1]);
            padded
        }
    };
    Some(fitted.into_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: [usize; 2] = [8, 4];

    /// Grey that rises from left to right.
    fn picture() -> Vec<u8> {
        let pixels = (0..FROM[0] * FROM[1]).map(|pixel| (pixel % FROM[0] * 30) as u8);
        pixels.flat_map(|value| [value; 3]).collect()
    }

    fn row(pixels: &[u8], width: usize, y: usize) -> Vec<u8> {
        pixels[y * width * 3..][..width * 3]
            .chunks(3)
            .map(|rgb| rgb[0])
            .collect()
    }

    #[test]
    fn what_fits_or_must_fit_is_left_alone() {
        assert_eq!(fitted(&picture(), FROM, FROM, Fit::Crop), None);
        assert_eq!(fitted(&picture(), FROM, [4, 4], Fit::Exact), None);
        // Too few bytes are the policy's to refuse.
        assert_eq!(fitted(&picture()[1..], FROM, [4, 4], Fit::Crop), None);
    }

    #[test]
    fn the_middle_is_cut_out_the_whole_is_padded_or_stretched() {
        let cut = fitted(&picture(), FROM, [4, 4], Fit::Crop).unwrap();
        assert_eq!(row(&cut, 4, 0), [60, 90, 120, 150]);
        let padded = fitted(&picture(), FROM, [8, 8], Fit::Pad).unwrap();
        assert_eq!(row(&padded, 8, 1), [0; 8]);
        assert_eq!(row(&padded, 8, 2), row(&picture(), 8, 0));
        assert_eq!(row(&padded, 8, 6), [0; 8]);
        let stretched = fitted(&picture(), FROM, [8, 8], Fit::Stretch).unwrap();
        assert_eq!(row(&stretched, 8, 7), row(&picture(), 8, 0));
        let tall = fitted(&picture(), FROM, [2, 8], Fit::Crop).unwrap();
        assert_eq!(tall.len(), 2 * 8 * 3);
        // One column of a picture that is too wide: the middle.
        assert!(
            row(&tall, 2, 0).iter().all(|v| (90..=120).contains(v)),
            "{tall:?}"
        );
    }
}
