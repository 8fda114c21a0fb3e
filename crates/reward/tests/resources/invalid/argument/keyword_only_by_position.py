num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    def pull(point, *, weight):
        return weight * torch.norm(action_sequence - point, dim=-1).mean()
    return -pull(keypoints[0], 0.5)
