//! Matrix units: which products of small matrices a subgroup of the device computes at once.

use std::fmt;

/// The cooperative matrices of a device: f16 operands, products summed in f32.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Cooperative {
    /// Rows and columns of each of the three matrices: 8 or 16.
    pub tile: u32,
    /// Invocations of a subgroup, which hold a matrix together; always the same number on this device.
    pub lanes: u32,
}

impl Cooperative {
    /// What matrices are asked for, in the words of the interface.
    pub(crate) const FEATURES: wgpu::Features =
        wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX.union(wgpu::Features::SHADER_F16);

    /// The largest square product of f16 into f32 that the adapter lists, if its subgroups have one size: WGSL has square
    /// matrices only, and a subgroup's share of a workgroup follows from its size.
    pub(crate) fn of(adapter: &wgpu::Adapter) -> Option<Self> {
        let info = adapter.get_info();
        let fixed = adapter.features().contains(Self::FEATURES) && info.subgroup_min_size == info.subgroup_max_size;
        let products = if fixed { adapter.cooperative_matrix_properties() } else { Vec::new() };
        Self::largest(products.iter().filter_map(side), info.subgroup_min_size)
    }

    fn largest(sides: impl Iterator<Item = u32>, lanes: u32) -> Option<Self> {
        sides.max().map(|tile| Self { tile, lanes })
    }
}

/// Rows and columns of a product that can be used.
fn side(product: &wgpu::wgt::CooperativeMatrixProperties) -> Option<u32> {
    let square = product.m_size == product.n_size && product.n_size == product.k_size;
    let mixed = (product.ab_type, product.cr_type)
        == (wgpu::wgt::CooperativeScalarType::F16, wgpu::wgt::CooperativeScalarType::F32);
    (square && mixed && matches!(product.m_size, 8 | 16)).then_some(product.m_size)
}

impl fmt::Display for Cooperative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tile, lanes } = self;
        write!(f, "{tile}x{tile}x{tile}, f16 into f32, {lanes} lanes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wgpu::wgt::{CooperativeMatrixProperties, CooperativeScalarType as Type};

    #[test]
    fn the_largest_square_of_f16_into_f32() {
        let product = |[m_size, n_size, k_size]: [u32; 3], ab_type, cr_type| CooperativeMatrixProperties {
            m_size,
            n_size,
            k_size,
            ab_type,
            cr_type,
            saturating_accumulation: false,
        };
        let listed = [
            product([8, 8, 8], Type::F16, Type::F32),
            product([16, 8, 16], Type::F16, Type::F32),
            product([16, 16, 16], Type::F16, Type::F16),
            product([16, 16, 16], Type::F32, Type::F32),
        ];
        let found = Cooperative::largest(listed.iter().filter_map(side), 8);
        assert_eq!(found, Some(Cooperative { tile: 8, lanes: 8 }));
        let more = [product([16, 16, 16], Type::F16, Type::F32)];
        let found = Cooperative::largest(listed.iter().chain(&more).filter_map(side), 32);
        assert_eq!(found, Some(Cooperative { tile: 16, lanes: 32 }));
        assert_eq!(Cooperative::largest(listed[1..].iter().filter_map(side), 32), None);
    }
}
