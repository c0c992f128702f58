"""Many clips: ``matte_clips`` finds them, mattes each in a worker, and resumes where an earlier call was ended."""
