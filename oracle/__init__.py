"""Asking: constraints, acquisition, answerers, sessions. No torch, no gradio."""
