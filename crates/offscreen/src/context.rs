//! An OpenGL context without a display, through EGL.

use glutin::api::egl::context::PossiblyCurrentContext;
use glutin::api::egl::device::Device;
use glutin::api::egl::display::Display;
use glutin::api::egl::surface::Surface;
use glutin::config::{ConfigSurfaceTypes, ConfigTemplateBuilder};
use glutin::context::{ContextApi, ContextAttributesBuilder, GlProfile, Version};
use glutin::prelude::{GlDisplay, NotCurrentGlContext, PossiblyCurrentGlContext};
use glutin::surface::{PbufferSurface, SurfaceAttributesBuilder};
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// EGL hands the same display to everyone in the process; opening and closing it are not for two
/// threads at once.
static DISPLAY: Mutex<()> = Mutex::new(());

/// Held while a context opens or closes.
pub(crate) fn lock_display() -> MutexGuard<'static, ()> {
    DISPLAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Images could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The EGL library, or a device it can draw on, is missing.
    #[error(
        "no EGL device can render ({0}); on Debian and Ubuntu install the packages \
         libegl1 libegl-mesa0 libgl1-mesa-dri"
    )]
    NoDevice(String),
    /// The image size is not usable.
    #[error("cannot render {width} x {height} pixels: expected 1 x 1 to {} x {}", .limit[0], .limit[1])]
    Size {
        /// Requested columns.
        width: usize,
        /// Requested rows.
        height: usize,
        /// Most columns and rows.
        limit: [usize; 2],
    },
    /// The scene has no such camera.
    #[error("the scene has no camera {0}")]
    Camera(usize),
    /// The context was lost.
    #[error("the OpenGL context cannot be used: {0}")]
    Context(#[from] glutin::error::Error),
    /// MuJoCo could not read the pixels back.
    #[error("reading pixels failed: {0}")]
    Read(String),
}

/// A context with its surface. To be opened and dropped under [`lock_display`].
pub(crate) struct Context {
    context: PossiblyCurrentContext,
    surface: Surface<PbufferSurface>,
    device: String,
}

impl Context {
    /// Opens the first device that works and makes its context current.
    ///
    /// # Errors
    /// [`RenderError::NoDevice`] with what each device said.
    pub(crate) fn open() -> Result<Self, RenderError> {
        let devices = Device::query_devices()
            .map_err(|error| RenderError::NoDevice(format!("the EGL library: {error}")))?;
        let mut refusals = Vec::new();
        for device in devices {
            match Self::on(&device) {
                Ok(context) => return Ok(context),
                Err(reason) => refusals.push(format!("{}: {reason}", describe(&device))),
            }
        }
        if refusals.is_empty() {
            refusals.push("EGL lists no device".to_owned());
        }
        Err(RenderError::NoDevice(refusals.join("; ")))
    }

    fn on(device: &Device) -> Result<Self, String> {
        let text = |error: glutin::error::Error| error.to_string();
        // MuJoCo draws into its own framebuffer; the surface only has to exist.
        let side = NonZeroU32::MIN;
        let template = ConfigTemplateBuilder::new()
            .with_surface_type(ConfigSurfaceTypes::PBUFFER)
            .with_depth_size(24)
            .build();
        let attributes = ContextAttributesBuilder::new()
            .with_profile(GlProfile::Compatibility)
            .with_context_api(ContextApi::OpenGl(Some(Version::new(2, 0))))
            .build(None);
        let pbuffer = SurfaceAttributesBuilder::<PbufferSurface>::new().build(side, side);
        // SAFETY: no native display or window handle is involved, so none can be dangling; the
        // configuration handed to the two calls below comes from this very display.
        let (context, surface) = unsafe {
            let display = Display::with_device(device, None).map_err(text)?;
            let config = display
                .find_configs(template)
                .map_err(text)?
                .next()
                .ok_or("no configuration with an off-screen surface and depth")?;
            let context = display.create_context(&config, &attributes).map_err(text)?;
            let surface = display
                .create_pbuffer_surface(&config, &pbuffer)
                .map_err(text)?;
            (context, surface)
        };
        let context = context.make_current(&surface).map_err(text)?;
        Ok(Self {
            context,
            surface,
            device: describe(device),
        })
    }

    /// Makes the context current on this thread; another renderer's may have been.
    ///
    /// # Errors
    /// [`RenderError::Context`] when the context is lost.
    pub(crate) fn make_current(&self) -> Result<(), RenderError> {
        Ok(self.context.make_current(&self.surface)?)
    }

    /// The device's own description.
    #[must_use]
    pub(crate) fn device(&self) -> &str {
        &self.device
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // A context that is current outlives its destruction until the thread ends, beyond the lock.
        let _lost = self.context.make_not_current_in_place();
    }
}

fn describe(device: &Device) -> String {
    match (device.vendor(), device.name()) {
        (Some(vendor), Some(name)) => format!("{vendor} {name}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) if device.extensions().contains("EGL_MESA_device_software") => {
            "Mesa software device".to_owned()
        }
        (None, None) => "EGL device".to_owned(),
    }
}
