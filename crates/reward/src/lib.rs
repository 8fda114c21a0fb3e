//! The reward language: parse, check, compile and differentiate VLM-written rewards.
