"""The pieces that ``pipeline.py`` joins into the line a frame walks; none is a plug-in.

``opening`` opens what the user named, by ``assembly``, and what takes long ``meanwhile``; ``lifetime`` closes it.
``capture`` (a camera behind a thread: ``keeper``, ``exchange``, ``latest``) and ``feed`` bring frames, ``demand``
switches the camera on and off, ``framing`` fits them, ``restart`` keeps the network alive, ``checked`` disbelieves it,
``backdrops`` are the backgrounds to go through, ``outputs`` takes the pictures, ``standby`` shows the ``card`` (its
text: ``lettering``) where there is no picture, and ``news`` tells what changes.
"""
