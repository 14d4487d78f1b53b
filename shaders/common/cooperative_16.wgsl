enable f16;
enable wgpu_cooperative_matrix;

// Matrices that the lanes of a subgroup hold together, 16x16: a sum is left * right + sum. One lane cannot see an element.
alias Left = coop_mat16x16<f16, A>;
alias Right = coop_mat16x16<f16, B>;
alias Sum = coop_mat16x16<f32, C>;
// Rows and columns of each.
const TILE = 16u;
