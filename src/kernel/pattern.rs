//! The three things that every operator's file declares, each written once here.

/// A file under `shaders/`, compiled into the library.
macro_rules! part {
    ($path:literal) => {
        $crate::gpu::Part { path: $path, source: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $path)) }
    };
}

/// The uniforms of a kernel: a struct of 32-bit scalars, so that Rust and WGSL lay it out alike. In tests it also has
/// `FIELDS`, which `checks.rs` compares with the WGSL struct `Params`.
macro_rules! params {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident { $( $(#[$field_meta:meta])* $field:ident: $type:ident, )* }
    ) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
        $vis struct $name { $( $(#[$field_meta])* $vis $field: $type, )* }

        #[cfg(test)]
        impl $name {
            /// Name, WGSL type and byte offset of every field.
            $vis const FIELDS: &[(&str, &str, usize)] =
                &[$( (stringify!($field), stringify!($type), core::mem::offset_of!($name, $field)), )*];
        }
    };
}

/// An operator's `Variant`: the ways to compute it, each with the name that the command line and the plans use.
macro_rules! variants {
    (
        $op:literal;
        $(#[$meta:meta])*
        pub enum Variant { $( $(#[$variant_meta:meta])* $variant:ident = $name:literal, )+ }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[non_exhaustive]
        pub enum Variant { $( $(#[$variant_meta])* $variant, )+ }

        impl Variant {
            /// All of them, the simplest first.
            pub const ALL: &[Self] = &[$( Self::$variant, )+];

            /// Its name, as in plans and on the command line.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => $name, )+ }
            }
        }

        impl From<Variant> for $crate::kernel::AnyVariant {
            fn from(variant: Variant) -> Self {
                Self { op: $op, name: variant.name() }
            }
        }

        impl core::fmt::Display for Variant {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl core::str::FromStr for Variant {
            type Err = $crate::error::Error;

            fn from_str(name: &str) -> $crate::error::Result<Self> {
                Self::ALL.iter().copied().find(|variant| variant.name() == name).ok_or_else(|| {
                    let names: Vec<&str> = Self::ALL.iter().map(|variant| variant.name()).collect();
                    $crate::error::Error::parameter($op, "variant", names.join(", "), name)
                })
            }
        }
    };
}

pub(crate) use {params, part, variants};
