"""The pieces that ``pipeline.py`` joins into the line a frame walks; none is a plug-in.

``assembly`` opens what the user named, ``lifetime`` closes it. ``capture`` (a camera behind a thread, by ``latest``)
and ``feed`` bring frames, ``framing`` fits them, ``restart`` keeps the network alive and ``checked`` disbelieves it,
``backdrops`` are the backgrounds to go through, ``outputs`` takes the pictures, ``standby`` shows the ``card`` (its
text: ``lettering``) where there is no picture, and ``news`` tells what changes.
"""
