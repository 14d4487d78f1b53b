// The flat number of a workgroup in a dispatch that `fold_workgroups` (src/gpu/program.rs) may have folded into three
// dimensions. It can reach past the last workgroup that has work: compare it with the count in `params`.
fn flat_workgroup(workgroup: vec3<u32>, workgroups: vec3<u32>) -> u32 {
    return (workgroup.z * workgroups.y + workgroup.y) * workgroups.x + workgroup.x;
}
