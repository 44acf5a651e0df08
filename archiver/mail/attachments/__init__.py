"""Text of attachments: PDF, office files of three families, RTF, HTML, plain formats, messages, and archives of these.

Meant for the worker processes of `archiver.mail.workers`, which bound memory and time from outside; everything here is
bounded from inside as well (`bounds`), writes nothing to disk, and tells of what it could not read by defects whose
code begins with "attachment-". Deliberately reads no image, sound, video or program, and runs nothing.
"""
