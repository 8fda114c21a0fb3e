num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    reach = torch.norm(action_sequence - keypoints[0], dim=-1).mean()
    smooth = torch.diff(action_sequence, dim=0).norm(dim=-1).sum()
    return -reach - 0.1 * smooth
