//! Trove classifiers that mean exactly one licence.
//!
//! Specification: PEP 639, appendix "Mapping License Classifiers to SPDX Identifiers".

/// The beginning of all classifiers about licences.
const PREFIX: &str = "License ::";

/// Classifiers that name one licence in one version, with its SPDX identifier. Those that PEP 639
/// calls ambiguous are absent, and so are those whose licence has several versions or variants in the
/// SPDX list: `License :: OSI Approved :: BSD License` says neither which nor how many clauses.
const UNAMBIGUOUS: [(&str, &str); 48] = [
    ("License :: Aladdin Free Public License (AFPL)", "Aladdin"),
    (
        "License :: CC0 1.0 Universal (CC0 1.0) Public Domain Dedication",
        "CC0-1.0",
    ),
    (
        "License :: CeCILL-B Free Software License Agreement (CECILL-B)",
        "CECILL-B",
    ),
    (
        "License :: CeCILL-C Free Software License Agreement (CECILL-C)",
        "CECILL-C",
    ),
    ("License :: Nokia Open Source License (NOKOS)", "Nokia"),
    (
        "License :: OSI Approved :: Attribution Assurance License",
        "AAL",
    ),
    (
        "License :: OSI Approved :: Blue Oak Model License (BlueOak-1.0.0)",
        "BlueOak-1.0.0",
    ),
    (
        "License :: OSI Approved :: Boost Software License 1.0 (BSL-1.0)",
        "BSL-1.0",
    ),
    (
        "License :: OSI Approved :: CEA CNRS Inria Logiciel Libre License, version 2.1 (CeCILL-2.1)",
        "CECILL-2.1",
    ),
    (
        "License :: OSI Approved :: CMU License (MIT-CMU)",
        "MIT-CMU",
    ),
    (
        "License :: OSI Approved :: Common Development and Distribution License 1.0 (CDDL-1.0)",
        "CDDL-1.0",
    ),
    (
        "License :: OSI Approved :: Common Public License",
        "CPL-1.0",
    ),
    (
        "License :: OSI Approved :: Eclipse Public License 1.0 (EPL-1.0)",
        "EPL-1.0",
    ),
    (
        "License :: OSI Approved :: Eclipse Public License 2.0 (EPL-2.0)",
        "EPL-2.0",
    ),
    (
        "License :: OSI Approved :: Educational Community License, Version 2.0 (ECL-2.0)",
        "ECL-2.0",
    ),
    (
        "License :: OSI Approved :: European Union Public Licence 1.0 (EUPL 1.0)",
        "EUPL-1.0",
    ),
    (
        "License :: OSI Approved :: European Union Public Licence 1.1 (EUPL 1.1)",
        "EUPL-1.1",
    ),
    (
        "License :: OSI Approved :: European Union Public Licence 1.2 (EUPL 1.2)",
        "EUPL-1.2",
    ),
    (
        "License :: OSI Approved :: GNU Affero General Public License v3 or later (AGPLv3+)",
        "AGPL-3.0-or-later",
    ),
    (
        "License :: OSI Approved :: GNU General Public License v2 or later (GPLv2+)",
        "GPL-2.0-or-later",
    ),
    (
        "License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)",
        "GPL-3.0-or-later",
    ),
    (
        "License :: OSI Approved :: GNU Lesser General Public License v3 or later (LGPLv3+)",
        "LGPL-3.0-or-later",
    ),
    (
        "License :: OSI Approved :: Historical Permission Notice and Disclaimer (HPND)",
        "HPND",
    ),
    ("License :: OSI Approved :: IBM Public License", "IPL-1.0"),
    ("License :: OSI Approved :: ISC License (ISCL)", "ISC"),
    (
        "License :: OSI Approved :: Intel Open Source License",
        "Intel",
    ),
    ("License :: OSI Approved :: MIT License", "MIT"),
    (
        "License :: OSI Approved :: MIT No Attribution License (MIT-0)",
        "MIT-0",
    ),
    ("License :: OSI Approved :: MirOS License (MirOS)", "MirOS"),
    ("License :: OSI Approved :: Motosoto License", "Motosoto"),
    (
        "License :: OSI Approved :: Mozilla Public License 1.0 (MPL)",
        "MPL-1.0",
    ),
    (
        "License :: OSI Approved :: Mozilla Public License 1.1 (MPL 1.1)",
        "MPL-1.1",
    ),
    (
        "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)",
        "MPL-2.0",
    ),
    (
        "License :: OSI Approved :: Mulan Permissive Software License v2 (MulanPSL-2.0)",
        "MulanPSL-2.0",
    ),
    (
        "License :: OSI Approved :: NASA Open Source Agreement v1.3 (NASA-1.3)",
        "NASA-1.3",
    ),
    (
        "License :: OSI Approved :: Nethack General Public License",
        "NGPL",
    ),
    (
        "License :: OSI Approved :: Nokia Open Source License",
        "Nokia",
    ),
    (
        "License :: OSI Approved :: Open Group Test Suite License",
        "OGTSL",
    ),
    (
        "License :: OSI Approved :: Open Software License 3.0 (OSL-3.0)",
        "OSL-3.0",
    ),
    (
        "License :: OSI Approved :: PostgreSQL License",
        "PostgreSQL",
    ),
    (
        "License :: OSI Approved :: Qt Public License (QPL)",
        "QPL-1.0",
    ),
    (
        "License :: OSI Approved :: SIL Open Font License 1.1 (OFL-1.1)",
        "OFL-1.1",
    ),
    ("License :: OSI Approved :: Sleepycat License", "Sleepycat"),
    (
        "License :: OSI Approved :: The Unlicense (Unlicense)",
        "Unlicense",
    ),
    (
        "License :: OSI Approved :: Universal Permissive License (UPL)",
        "UPL-1.0",
    ),
    (
        "License :: OSI Approved :: University of Illinois/NCSA Open Source License",
        "NCSA",
    ),
    ("License :: OSI Approved :: Zero-Clause BSD (0BSD)", "0BSD"),
    ("License :: OSI Approved :: zlib/libpng License", "Zlib"),
];

/// Whether a classifier is about the licence.
pub fn is_licence_classifier(classifier: &str) -> bool {
    classifier.starts_with(PREFIX)
}

/// The SPDX identifier of the one licence that a classifier means; `None` if it is ambiguous, or
/// means no licence of the SPDX list.
pub fn spdx_id(classifier: &str) -> Option<&'static str> {
    let mut known = UNAMBIGUOUS.iter();
    known
        .find(|(text, _)| *text == classifier)
        .map(|(_, id)| *id)
}

#[cfg(test)]
mod tests {
    use super::{UNAMBIGUOUS, is_licence_classifier, spdx_id};
    use crate::set::licences::LicenceExpression;

    /// A slip in an identifier would make the wheels of that classifier unknown.
    #[test]
    fn each_identifier_is_current_and_each_classifier_is_about_a_licence() {
        for (classifier, id) in UNAMBIGUOUS {
            assert!(is_licence_classifier(classifier), "{classifier}");
            let known = spdx::license_id(id).unwrap_or_else(|| panic!("{id}"));
            assert!(!known.is_deprecated(), "{id}");
            let expression = LicenceExpression::parse(id).expect("it is one");
            assert_eq!(expression.to_string(), id);
        }
    }

    /// PEP 639, appendix: "tools MUST NOT attempt to automatically infer" a licence from these.
    #[test]
    fn ambiguous_classifiers_mean_nothing() {
        for name in [
            "Academic Free License (AFL)",
            "Apache Software License",
            "Apple Public Source License",
            "Artistic License",
            "BSD License",
            "GNU Affero General Public License v3",
            "GNU Free Documentation License (FDL)",
            "GNU General Public License (GPL)",
            "GNU General Public License v2 (GPLv2)",
            "GNU General Public License v3 (GPLv3)",
            "GNU Lesser General Public License v2 (LGPLv2)",
            "GNU Lesser General Public License v2 or later (LGPLv2+)",
            "GNU Lesser General Public License v3 (LGPLv3)",
            "GNU Library or Lesser General Public License (LGPL)",
        ] {
            let classifier = format!("License :: OSI Approved :: {name}");
            assert_eq!(spdx_id(&classifier), None, "{classifier}");
        }
        for classifier in ["License :: OSI Approved", "License :: Public Domain"] {
            assert_eq!(spdx_id(classifier), None, "{classifier}");
        }
    }
}
