num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    def total(t):
        if t == 0:
            return torch.norm(action_sequence[:, 0] - keypoints[0], dim=-1)
        return total(t - 1) + torch.norm(action_sequence[:, t] - keypoints[0], dim=-1)
    return -total(14).mean()
