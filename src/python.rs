//! Python packaging, pure: names, versions, requirements, markers, tags, platforms, wheel file names, core metadata.
