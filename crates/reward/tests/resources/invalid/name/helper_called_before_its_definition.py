num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    d = distance(action_sequence, keypoints[0])

    def distance(a, b):
        return torch.norm(a - b, dim=-1)

    return -d.mean()
