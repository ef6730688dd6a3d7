"""Learning: encoders, pools, objectives, updates, snapshots. No gradio."""
