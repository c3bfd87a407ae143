"""The mart in pandas, as such a project is typically first written: frames in memory."""
