//! Policy bundles: manifest, normalisation and the ONNX denoiser.
