"""Translates the PTX that NVRTC writes into C++ that executes a warp at a time."""
